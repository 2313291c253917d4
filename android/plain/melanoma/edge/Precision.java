package melanoma.edge;

/** Of the network that runs: which of the files that a library holds. */
public enum Precision {
    /** 8 bits: smaller and faster, the file to ship. Every library holds it. */
    INT8("int8"),
    /** The network before it was quantised. A library holds it where it was built with {@code --android-float}. */
    FLOAT32("float32");

    /** As manifest.json has it. */
    final String key;

    Precision(String key) {
        this.key = key;
    }
}
