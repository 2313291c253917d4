package melanoma.edge;

/** A network in memory, whatever runs it. */
interface Engine {
    /**
     * Run once.
     *
     * @param pixels normalised, {@code [size, size, 3]} rows of RGB
     */
    Answer run(float[] pixels);

    /** Free its memory. */
    void close();

    /** What opens one. */
    interface Opener {
        /** The .tflite file's bytes, its input's side, how many classes it tells, and the heat map's sides or null. */
        Engine open(byte[] model, int size, int classes, int[] heatMap);
    }

    /** What a network says. */
    final class Answer {
        final float[] logits;
        final Grid heatMap; // or null

        Answer(float[] logits, Grid heatMap) {
            this.logits = logits;
            this.heatMap = heatMap;
        }
    }
}
