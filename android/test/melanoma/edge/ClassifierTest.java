package melanoma.edge;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertNotNull;
import static org.junit.Assert.assertTrue;

import android.content.Context;
import android.graphics.Bitmap;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.AfterClass;
import org.junit.BeforeClass;
import org.junit.Test;

/** The whole class, with the desktop's decoder and the LiteRT of Python's wheel under Android's names. */
public class ClassifierTest {
    private static final double FLOAT_TOLERANCE = 1e-4; // of a logit, as the golden vectors have it
    private static MelanomaClassifier classifier;

    @BeforeClass
    public static void load() {
        classifier = MelanomaClassifier.create(new Context(Vectors.folder("assets")));
    }

    @AfterClass
    public static void close() {
        classifier.close();
        classifier.close();
    }

    private static Bitmap bitmap(byte[] file) throws IOException {
        return new Bitmap(ImageIO.read(new ByteArrayInputStream(file)));
    }

    @Test
    public void aBitmapGivesWhatItsFileGives() throws IOException {
        byte[] file = Vectors.bytes(Vectors.document("photographs_int8.json").list().get(0).get("file"));
        assertArrayEquals(classifier.classify(file).logits, classifier.classify(bitmap(file)).logits, 0);
    }

    @Test
    public void theDeviceCanTestItself() {
        SelfTest found = classifier.selfTest();
        assertTrue(found.passed && found.decisionsEqual);
        assertEquals(3, found.images.size());
        for (SelfTest.Image image : found.images) assertTrue(image.name, image.pixelsEqual && image.difference == 0);
    }

    @Test
    public void theHeatMapIsPythons() throws IOException {
        try (MelanomaClassifier mapped = MelanomaClassifier.create(new Context(Vectors.folder("mapped")))) {
            Json wanted = Vectors.document("heat_map.json");
            Classification found = mapped.classify(Vectors.bytes(wanted.get("file")));
            assertNotNull(found.heatMap);
            assertEquals(wanted.get("height").integer(), found.heatMap.height);
            assertEquals(wanted.get("width").integer(), found.heatMap.width);
            assertArrayEquals(wanted.get("values").numbers(), Vectors.doubles(found.heatMap.values), 0);
            assertArrayEquals(wanted.get("logits").numbers(), Vectors.doubles(found.logits), 0);
            assertTrue(mapped.selfTest().passed);
        }
    }

    @Test
    public void anAppChoosesTheFloatNetworkWhereThereIsOne() throws IOException {
        Context both = new Context(Vectors.folder("both"));
        try (MelanomaClassifier floats = MelanomaClassifier.create(both, Precision.FLOAT32)) {
            SelfTest found = floats.selfTest();
            assertTrue(found.passed && found.decisionsEqual && found.images.size() == 3);
            for (Json one : Vectors.document("photographs_float32.json").list()) {
                PhotographsTest.compare(one, floats.classify(Vectors.bytes(one.get("file"))), FLOAT_TOLERANCE);
            }
        }
        try (MelanomaClassifier integers = MelanomaClassifier.create(both)) {
            assertTrue(integers.selfTest().passed);
            Json one = Vectors.document("photographs_int8.json").list().get(0);
            PhotographsTest.compare(one, integers.classify(Vectors.bytes(one.get("file"))), 0);
        }
        for (Precision precision : new Precision[] {Precision.FLOAT32, null}) {
            Context one = new Context(Vectors.folder("assets"));
            ClassifierException told = Vectors.refused(
                ClassifierException.Code.USAGE, () -> MelanomaClassifier.create(one, precision));
            assertTrue(told.getMessage(), told.getMessage().contains("it holds int8;"));
        }
    }

    @Test
    public void aChangedFloatNetworkIsNotUsedAndTheOtherIs() throws IOException {
        Context changed = new Context(copy("both"));
        Path file = changed.getAssets().folder().toPath().resolve("melanoma_edge/models/guard_float32.tflite");
        byte[] data = Files.readAllBytes(file);
        data[data.length / 2] ^= 1;
        Files.write(file, data);
        Vectors.refused(
            ClassifierException.Code.INTEGRITY, () -> MelanomaClassifier.create(changed, Precision.FLOAT32));
        tested(changed);
    }

    @Test
    public void whatIsNoPictureIsRefused() throws IOException {
        byte[] file = Vectors.bytes(Vectors.document("photographs_int8.json").list().get(0).get("file"));
        Bitmap recycled = bitmap(file);
        recycled.recycle();
        Bitmap clear = new Bitmap(new BufferedImage(64, 64, BufferedImage.TYPE_INT_ARGB));
        Bitmap narrow = new Bitmap(new BufferedImage(1, 10_000, BufferedImage.TYPE_INT_RGB));
        for (Bitmap bad : new Bitmap[] {null, recycled, clear, narrow, new Bitmap(null)}) {
            Vectors.refused(ClassifierException.Code.IMAGE, () -> classifier.classify(bad));
        }
        String told = Vectors.refused(ClassifierException.Code.IMAGE, () -> classifier.classify(recycled)).getMessage();
        assertTrue(told, told.contains("recycled"));
        byte[][] files = {null, {}, "no picture".getBytes(), Arrays.copyOf(file, file.length / 2)};
        for (byte[] bad : files) Vectors.refused(ClassifierException.Code.IMAGE, () -> classifier.classify(bad));
        for (Json one : Vectors.document("refused.json").list()) {
            byte[] bad = Vectors.bytes(one.get("file"));
            Vectors.refused(ClassifierException.Code.IMAGE, () -> classifier.classify(bad));
        }
        byte[] undecodable = Vectors.bytes(Vectors.document("undecodable.json"));
        ImageFile.read(undecodable); // whole from outside: it is the decoder that refuses it
        Vectors.refused(ClassifierException.Code.IMAGE, () -> classifier.classify(undecodable));
    }

    @Test
    public void aPictureBeyondTheMemoryIsRefused() {
        Pixels huge = new Pixels() {
            @Override
            public int width() {
                return 9_400;
            }

            @Override
            public int height() {
                return 9_400;
            }

            @Override
            public void row(int x, int y, int count, int[] argb) {
                throw new OutOfMemoryError("of a test");
            }
        };
        Path folder = Vectors.path("assets/melanoma_edge");
        Classifier plain = new Classifier(
            name -> Files.newInputStream(folder.resolve(name)), Precision.INT8, file -> huge, new LiteRtEngine.Opener());
        Vectors.refused(ClassifierException.Code.IMAGE, () -> plain.classify(huge));
        plain.close();
    }

    @Test
    public void aChangedOrMissingAssetIsNotUsed() throws IOException {
        for (String name : new String[] {"models", "policy.json", "golden.json"}) {
            Context changed = new Context(copy("assets"));
            Path file = first(changed, name);
            byte[] data = Files.readAllBytes(file);
            data[data.length / 2] ^= 1;
            Files.write(file, data);
            Vectors.refused(ClassifierException.Code.INTEGRITY, () -> tested(changed));
            Files.delete(file);
            Vectors.refused(ClassifierException.Code.ASSET, () -> tested(changed));
        }
        Vectors.refused(ClassifierException.Code.ASSET, () -> tested(new Context(new File("nowhere"))));
    }

    @Test
    public void aModelThatLiteRtCannotLoadIsRefused() throws IOException {
        Context broken = new Context(copy("assets"));
        Path manifest = first(broken, "manifest.json");
        Path model = first(broken, "models");
        Files.write(model, "TFL3 but nothing else".getBytes());
        String hash = Json.read(Files.readAllBytes(manifest), "it").get("models").list().get(0).get("sha256").text();
        String told = Files.readString(manifest).replace(hash, Assets.sha256(Files.readAllBytes(model)));
        Files.writeString(manifest, told);
        Vectors.refused(ClassifierException.Code.RUNTIME, () -> tested(broken));
    }

    @Test
    public void aClosedClassifierSaysSo() throws IOException {
        byte[] file = Vectors.bytes(Vectors.document("photographs_int8.json").list().get(0).get("file"));
        MelanomaClassifier closed = MelanomaClassifier.create(new Context(Vectors.folder("assets")));
        closed.close();
        Vectors.refused(ClassifierException.Code.USAGE, () -> closed.classify(file));
        Vectors.refused(ClassifierException.Code.USAGE, closed::selfTest);
        Vectors.refused(ClassifierException.Code.USAGE, () -> MelanomaClassifier.create(null));
    }

    @Test
    public void aSelfTestThatFindsOtherNumbersFails() {
        assertFalse(new SelfTest(Arrays.asList()).passed);
        assertTrue(Double.isNaN(SelfTest.difference(new double[] {1, 2}, new float[] {1})));
        assertEquals(0.5, SelfTest.difference(new double[] {1, 2}, new float[] {1, 2.5f}), 0);
        assertFalse(new SelfTest(Arrays.asList(new SelfTest.Image("a", true, Double.NaN, 1, true))).passed);
        assertFalse(new SelfTest(Arrays.asList(new SelfTest.Image("a", false, 0, 1, true))).passed);
    }

    private static void tested(Context context) {
        try (MelanomaClassifier opened = MelanomaClassifier.create(context)) {
            opened.selfTest();
        }
    }

    private static Path first(Context context, String name) throws IOException {
        Path found = context.getAssets().folder().toPath().resolve("melanoma_edge").resolve(name);
        if (!Files.isDirectory(found)) return found;
        try (Stream<Path> inside = Files.list(found)) {
            return inside.collect(Collectors.toList()).get(0);
        }
    }

    private static File copy(String folder) throws IOException {
        Path from = Vectors.path(folder);
        Path to = Files.createTempDirectory("assets");
        try (Stream<Path> all = Files.walk(from)) {
            for (Path one : all.collect(Collectors.toList())) {
                Files.copy(one, to.resolve(from.relativize(one)), StandardCopyOption.REPLACE_EXISTING);
            }
        }
        return to.toFile();
    }
}
