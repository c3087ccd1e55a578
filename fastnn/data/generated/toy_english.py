"""Toy English: the 250 words and the grammar of the generated trigram corpus, as data without code.

`toy_source.py` turns this into a random source. A word class has a one-letter code, so that a rule fits on a line:
D determiner, A adjective, N noun, S plural noun, R pronoun, V verb, L linking verb, B adverb, P preposition,
C conjunction, K pause, Z end of a sentence.
"""

# The words of a class from the most to the least frequent: Zipf's law in `toy_source.py` depends on the rank.
WORDS = {
    "D": "the a this that his her my our their every some no your each any its another",
    "A": "old good little new long great young small big dark poor white happy cold strange black green quiet red "
    "rich warm kind blue sad wild brave heavy empty proud soft clever lonely sharp deep "
    "bright tall tired",
    "N": "man house time day king hand woman night door child water friend town road mother father room war horse "
    "river son garden book dog heart fire letter city tree wind ship boy girl moon field sea voice song farmer "
    "kitchen soldier winter stone teacher forest market bridge doctor cat clock lamp mouse window table mirror",
    "S": "men people eyes children years days hands women words friends birds horses trees stars soldiers roads "
    "stories dogs streets houses flowers ships letters mountains",
    "R": "he she it they we you i who someone everyone nobody",
    "V": "saw had took made knew found left heard loved kept wanted told lost held met asked followed watched brought "
    "gave remembered sold carried opened built hated painted feared chose drew "
    "raised crossed",
    "L": "was is were seemed felt looked became stood lay remained grew sounded",
    "B": "now then never again always here soon still there once often away slowly together alone suddenly quickly "
    "today almost perhaps gently twice",
    "P": "of in to with on at from for by under over behind near before through into beside against without across "
    "among beyond",
    "C": "and but or because when while though if so until where",
    "K": ", ; : --",
    "Z": ". ! ?",
}

CLASSES = "".join(WORDS)

# The exponents of Zipf's law by class: frequency ∝ rank ** -exponent. It falls fastest for function words.
ZIPF_EXPONENTS = {**dict.fromkeys("ANSRVB", 1.0), "L": 1.3, "P": 1.3, "C": 1.4, "D": 1.5, "K": 2.0, "Z": 2.5}

# The number of kinds of each class, and how much the kinds one, two and three words before decide about the kind of a
# word: the deviation of the logarithm of a factor.
KINDS = {"D": 2, "A": 4, "N": 6, "S": 4, "R": 2, "V": 4, "L": 2, "B": 3, "P": 3, "C": 2, "K": 1, "Z": 1}
LEANS = (2.0, 1.5, 1.0)

# Rules: (classes of the three words before, weights of the class that follows). "*" stands for any class. The weights
# of all rules that match are multiplied. FOLLOWERS has the classes that usually follow each class; a class that it does
# not name there is almost impossible. BENDS changes the weights by the classes two and three words back; a class that a
# bend does not name keeps its weight.
FOLLOWERS = [
    ("**D", "N10 S2 A7"),
    ("**A", "N8 S4 A1 C1 K1 Z2 P1"),
    ("**N", "V5 L5 P5 C2 K2 Z4 B1"),
    ("**S", "V5 L5 P5 C2 K2 Z4 B1"),
    ("**R", "V10 L7 B2"),
    ("**V", "D9 S3 A1 P4 B2 Z1"),
    ("**L", "A8 D4 P4 B3"),
    ("**B", "V3 L2 A3 Z4 P3 D2 K1"),
    ("**P", "D10 S3 A2"),
    ("**C", "D6 R6 S2 A1 V1 N1 B1"),
    ("**K", "D4 R5 C5 A1 B2 S2"),
    ("**Z", "D6 R7 S2 C2 B2 P2"),
]

BENDS = [
    # A noun at the start of a sentence waits for its verb, a noun after the verb ends it.
    ("ZDN", "V50 L50 Z.01 K.01 C.05"),
    ("CDN", "V20 L20 Z.05"),
    ("KDN", "V20 L20 Z.05"),
    ("DAN", "P.3 C.3 K.3"),
    ("VDN", "Z20 V.01 L.01"),
    ("LDN", "Z20 P3 V.01 L.01"),
    ("PDN", "Z6 K3 P.2"),
    ("VAN", "Z20 K3 V.01 L.01"),
    ("*ZS", "V40 L40 Z.01 K.01"),
    ("*VS", "Z20 K3 P3 V.01 L.01"),
    ("*PS", "Z4 P.4"),
    # An adjective after "was" ends the sentence, an adjective after "the" needs its noun.
    ("*LA", "Z60 P20 K5 C20 N.01 S.01 A.1"),
    ("*DA", "N9 A3 Z.01 P.01 C.1 K.1"),
    ("*PA", "S12 Z.01 P.01 C.1"),
    ("*BA", "Z9 N.2 S.2"),
    # "and" joins words of one kind.
    ("*AC", "A500 D.1 R.1"),
    ("*VC", "V500 D.1 R.1"),
    ("*SC", "S50"),
    ("DNC", "D15 R.3"),
    ("*KC", "R6 D2"),
    # An adverb belongs to the verb before it or after it.
    ("*VB", "Z20 P4 V.01 L.01 A.02"),
    ("*LB", "A40 P3 V.02 L.01 D.1"),
    ("*RB", "V60 L20 Z.01 P.02 A.02 D.02"),
    ("*NB", "V15 L9 A.02"),
    ("*ZB", "K20 D9 V.02 L.02 Z.01"),
    # One clause, one verb; and no clause of two words.
    ("*V*", "V.01 L.01"),
    ("*L*", "V.01 L.01"),
    ("V**", "V.02 L.02 Z5"),
    ("L**", "V.02 L.02 Z5"),
    ("Z**", "Z.02 K.1 C.1"),
    ("*Z*", "Z.01 K.1 C.1"),
    ("C**", "C.02 K.05 Z.3"),
    ("K**", "C.05 K.02 Z.3"),
    # A kind of word is seldom repeated at once.
    ("A**", "A.03"),
    ("B**", "B.02"),
    ("*B*", "B.02"),
    ("P**", "P.02"),
    ("R**", "R.05"),
    # How a sentence begins depends on how the last one ended.
    ("DNZ", "R9"),
    ("ANZ", "D9"),
    ("*SZ", "R9"),
    ("*AZ", "D6 S3"),
    ("*BZ", "C9 P9"),
    ("NZR", "V5"),
    ("SZR", "L5"),
    ("AZD", "N5"),
    ("NZD", "A5"),
    # "he" sees a new house, "the man" sees a house.
    ("RV*", "D4 P.4"),
    ("DNV", "D4 P.4"),
    ("ANV", "P9 S3"),
    ("RVD", "A5"),
    ("NVD", "N5"),
    ("SVD", "A5"),
    ("NPD", "N5"),
    ("VPD", "A5"),
    ("DNL", "A4 B4"),
    ("ANL", "P9 D4"),
    ("*RL", "A3 D.5"),
    ("*SL", "A4 P.5"),
]
