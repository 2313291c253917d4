package melanoma.edge;

import android.content.Context;
import android.content.res.AssetManager;
import android.graphics.Bitmap;
import android.graphics.BitmapFactory;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;

/**
 * A skin-lesion classifier that runs on the device: nothing is sent. Never a diagnosis.
 *
 * <p>Use it away from the main thread. Its methods take turns: one image at a time. Whatever they throw on purpose is a
 * {@link ClassifierException} with a code; no call returns a probability for what it could not use.
 */
public final class MelanomaClassifier implements Closeable {
    private static final String FOLDER = "melanoma_edge/";
    private final Classifier classifier;

    private MelanomaClassifier(Classifier classifier) {
        this.classifier = classifier;
    }

    /**
     * Load the INT8 network from this app's assets. Every file is compared with its sha256 first.
     *
     * @param context any of the app's
     * @return to be closed
     * @throws ClassifierException ASSET, INTEGRITY, RUNTIME, or USAGE for null
     */
    public static MelanomaClassifier create(Context context) {
        return create(context, Precision.INT8);
    }

    /**
     * Load the network of a precision. Each has thresholds of its own in the policy, which are used.
     *
     * @param context any of the app's
     * @param precision which of the library's networks
     * @return to be closed
     * @throws ClassifierException ASSET, INTEGRITY, RUNTIME, or USAGE for null and for one that the library does not hold
     */
    public static MelanomaClassifier create(Context context, Precision precision) {
        if (context == null) throw new ClassifierException(ClassifierException.Code.USAGE, "the context is null");
        final AssetManager assets = context.getAssets();
        Assets.Source source = new Assets.Source() {
            @Override
            public InputStream open(String name) throws IOException {
                return assets.open(FOLDER + name);
            }
        };
        return new MelanomaClassifier(new Classifier(source, precision, new FactoryDecoder(), new LiteRtEngine.Opener()));
    }

    /**
     * Classify an upright, opaque picture: its largest centred square counts.
     *
     * @param bitmap in software memory (not {@code Config.HARDWARE}); it is read, not recycled
     * @return what the network and the policy say
     * @throws ClassifierException IMAGE for null, a recycled or transparent bitmap, and sides outside 8 to 20,000 pixels;
     *     RUNTIME; USAGE after close()
     */
    public Classification classify(Bitmap bitmap) {
        return classifier.classify(new BitmapPixels(bitmap));
    }

    /**
     * Classify a photograph file, turned upright by its EXIF orientation: its largest centred square counts.
     *
     * @param jpeg the bytes of a whole JPEG or PNG file
     * @return what the network and the policy say
     * @throws ClassifierException IMAGE for null and for what is no such file, is broken, or ends early; RUNTIME; USAGE
     *     after close()
     */
    public Classification classify(byte[] jpeg) {
        return classifier.classify(jpeg);
    }

    /**
     * Classify the package's own drawn images and compare every step with what Python computed when it was built.
     *
     * @return what agreed
     * @throws ClassifierException ASSET, INTEGRITY, IMAGE, RUNTIME; USAGE after close()
     */
    public SelfTest selfTest() {
        return classifier.selfTest();
    }

    /** Free the network's memory; again is no harm. */
    @Override
    public void close() {
        classifier.close();
    }

    private static final class FactoryDecoder implements Classifier.Decoder {
        @Override
        public Pixels decode(byte[] file) {
            BitmapFactory.Options options = new BitmapFactory.Options();
            options.inPreferredConfig = Bitmap.Config.ARGB_8888;
            options.inScaled = false;
            Bitmap found = BitmapFactory.decodeByteArray(file, 0, file.length, options);
            return found == null ? null : new BitmapPixels(found);
        }
    }
}
