package melanoma.edge;

/** What a network decides at its own threshold. */
public enum Decision {
    /** The probability of melanoma is at or above the threshold. */
    MELANOMA,
    /** It is below. */
    OTHER
}
