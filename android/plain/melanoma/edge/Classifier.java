package melanoma.edge;

import java.util.ArrayList;
import java.util.List;

/** The network with all that stands around it, free of Android: pixels as Python makes them, and the policy's advice. */
final class Classifier {
    private static final int FORMAT = 2; // of the manifest
    private final Assets assets;
    private final Json manifest;
    private final Json model;
    private final Policy policy;
    private final Decoder decoder;
    private final int size;
    private final int melanoma;
    private Engine engine; // null once closed

    /** What turns a whole JPEG or PNG file into pixels, as they lie in the file. */
    interface Decoder {
        /** Null, or what decoders throw on purpose, when it cannot. */
        Pixels decode(byte[] file);
    }

    /** Load the network of a precision. Every file that is used is checked against the manifest first. Throws ClassifierException. */
    Classifier(Assets.Source source, Precision precision, Decoder decoder, Engine.Opener opener) {
        this.assets = new Assets(source);
        this.decoder = decoder;
        this.manifest = Json.read(assets.read(Assets.MANIFEST), Assets.MANIFEST);
        if (manifest.get("format").integer() != FORMAT) {
            throw new ClassifierException(
                ClassifierException.Code.INTEGRITY, "manifest.json is of another format: " + FORMAT + " is accepted");
        }
        this.model = model(precision);
        this.size = manifest.get("preprocessing").get("size").integer();
        this.melanoma = manifest.get("melanoma").integer();
        String file = model.get("file").text();
        this.policy = new Policy(document("policy.json"), file.substring(file.lastIndexOf('/') + 1));
        byte[] network = assets.read(file, model);
        int classes = manifest.get("classes").list().size();
        this.engine = opener.open(network, size, classes, heatMap());
    }

    /** Its entry of the manifest. Throws ClassifierException USAGE, naming those that there are. */
    private Json model(Precision precision) {
        StringBuilder held = new StringBuilder();
        for (Json one : manifest.get("models").list()) {
            String name = one.get("precision").text();
            if (precision != null && name.equals(precision.key)) return one;
            held.append(held.length() == 0 ? "" : ", ").append(name);
        }
        String wanted = precision == null ? "null" : precision.key;
        throw new ClassifierException(
            ClassifierException.Code.USAGE,
            "this library has no network of precision " + wanted + ": it holds " + held
                + "; float32 comes with `melanoma-edge build --target android --android-float`");
    }

    private int[] heatMap() {
        if (!model.has("heat_map")) return null;
        double[] sides = model.get("heat_map").numbers();
        return new int[] {(int) sides[0], (int) sides[1]};
    }

    private Json document(String name) {
        return Json.read(assets.read(name, manifest.get("files").get(name)), name);
    }

    /** The bytes of a JPEG or PNG file. Throws ClassifierException IMAGE, RUNTIME or USAGE. */
    synchronized Classification classify(byte[] file) {
        open();
        long started = System.nanoTime();
        try {
            return classified(decoded(file), started);
        } catch (OutOfMemoryError cause) {
            throw tooLarge(cause);
        }
    }

    /** Upright pixels. Throws ClassifierException IMAGE, RUNTIME or USAGE. */
    synchronized Classification classify(Pixels upright) {
        open();
        long started = System.nanoTime();
        try {
            return classified(Frame.of(upright, 1), started);
        } catch (OutOfMemoryError cause) {
            throw tooLarge(cause);
        }
    }

    /** Classify the package's own images and compare every step with what Python computed. Throws ClassifierException. */
    synchronized SelfTest selfTest() {
        open();
        Json golden = document("golden.json");
        String id = model.get("id").text();
        double tolerance = golden.get("tolerance").get(id).number();
        List<SelfTest.Image> images = new ArrayList<>();
        for (Json image : golden.get("images").list()) {
            byte[] pixels = resized(decoded(Assets.base64(image.get("data").text())));
            float[] logits = engine.run(normalised(pixels)).logits;
            double[] wanted = image.get("logits").get(id).numbers();
            boolean same = Assets.sha256(pixels).equals(image.get("pixels_sha256").text());
            double difference = SelfTest.difference(wanted, logits);
            boolean decided = decision(logits) == decision(floats(wanted));
            images.add(new SelfTest.Image(image.get("name").text(), same, difference, tolerance, decided));
        }
        return new SelfTest(images);
    }

    /** Free the network's memory; again is no harm. */
    synchronized void close() {
        if (engine != null) engine.close();
        engine = null;
    }

    private void open() {
        if (engine != null) return;
        throw new ClassifierException(ClassifierException.Code.USAGE, "this classifier was closed: create another one");
    }

    private static ClassifierException tooLarge(OutOfMemoryError cause) {
        String told = "the image is too large for this device's memory: a smaller one is accepted";
        return new ClassifierException(ClassifierException.Code.IMAGE, told, cause);
    }

    private Frame decoded(byte[] bytes) {
        ImageFile file = ImageFile.read(bytes);
        Pixels pixels = decoder.decode(file.bytes());
        if (pixels == null || pixels.width() != file.width() || pixels.height() != file.height()) {
            throw Frame.unusable("the image cannot be decoded: a whole JPEG or PNG file is accepted");
        }
        return Frame.of(pixels, file.orientation());
    }

    private byte[] resized(Frame frame) {
        return Resize.square(frame.rgb, frame.side, size);
    }

    private Classification classified(Frame frame, long started) {
        long decoded = System.nanoTime();
        byte[] pixels = resized(frame);
        float[] normalised = normalised(pixels);
        long prepared = System.nanoTime();
        Engine.Answer answer = engine.run(normalised);
        Timings timings = new Timings(started, decoded, prepared, System.nanoTime());
        double probability = Policy.softmax(answer.logits)[melanoma];
        if (Double.isNaN(probability)) {
            throw new ClassifierException(ClassifierException.Code.RUNTIME, "the network gave no number for this image");
        }
        return new Classification(probability, policy, Quality.of(pixels, size, policy.capture), answer, timings);
    }

    private Decision decision(float[] logits) {
        return policy.decide(Policy.softmax(logits)[melanoma]);
    }

    /** uint8 RGB to {@code (pixel - mean) / std}, in float32 as Python computes it. */
    private float[] normalised(byte[] pixels) {
        float[] mean = floats(manifest.get("preprocessing").get("mean").numbers());
        float[] std = floats(manifest.get("preprocessing").get("std").numbers());
        float[] result = new float[pixels.length];
        for (int i = 0; i < result.length; i++) {
            int channel = i % Resize.CHANNELS;
            result[i] = ((pixels[i] & 255) - mean[channel]) / std[channel];
        }
        return result;
    }

    private static float[] floats(double[] values) {
        float[] found = new float[values.length];
        for (int i = 0; i < found.length; i++) found[i] = (float) values[i];
        return found;
    }
}
