package melanoma.edge;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** Python's answers to the package's own drawn images, compared with what this very device computes. No patient's images. */
public final class SelfTest {
    /** Whether every pixel is Python's and every logit within the tolerance: 0 where the arithmetic is in integers. */
    public final boolean passed;
    /** Whether every decision is Python's, however the logits differ. */
    public final boolean decisionsEqual;
    /** One for each image. */
    public final List<Image> images;

    /** What one image showed. */
    public static final class Image {
        /** Such as "jpeg, sideways". */
        public final String name;
        /** Whether every level of every resized pixel is Python's. */
        public final boolean pixelsEqual;
        /** The largest difference of a logit; NaN when one is no number or there are not as many. */
        public final double difference;
        /** Whether pixels and logits are as they must be. */
        public final boolean passed;
        /** Whether the decision is Python's. */
        public final boolean decisionEqual;

        Image(String name, boolean pixelsEqual, double difference, double tolerance, boolean decisionEqual) {
            this.name = name;
            this.pixelsEqual = pixelsEqual;
            this.difference = difference;
            this.passed = pixelsEqual && difference <= tolerance;
            this.decisionEqual = decisionEqual;
        }
    }

    SelfTest(List<Image> images) {
        boolean all = !images.isEmpty();
        boolean equal = all;
        for (Image image : images) {
            all &= image.passed;
            equal &= image.decisionEqual;
        }
        this.passed = all;
        this.decisionsEqual = equal;
        this.images = Collections.unmodifiableList(new ArrayList<>(images));
    }

    /** The largest difference of two rows of logits. */
    static double difference(double[] wanted, float[] found) {
        if (wanted.length == 0 || wanted.length != found.length) return Double.NaN;
        double largest = 0;
        for (int i = 0; i < wanted.length; i++) largest = Math.max(largest, Math.abs(wanted[i] - found[i]));
        return largest;
    }
}
