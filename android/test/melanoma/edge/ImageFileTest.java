package melanoma.edge;

import static org.junit.Assert.assertTrue;

import java.io.IOException;
import java.util.Arrays;
import java.util.Random;
import org.junit.Test;

public class ImageFileTest {
    @Test
    public void whatEndsEarlyIsRefusedWhereverItEnds() throws IOException {
        for (Json one : Vectors.document("whole.json").list()) {
            byte[] whole = Vectors.bytes(one);
            ImageFile.read(whole);
            for (int end = 0; end < whole.length; end++) {
                byte[] cut = Arrays.copyOf(whole, end);
                Vectors.refused(ClassifierException.Code.IMAGE, () -> ImageFile.read(cut));
            }
        }
    }

    @Test
    public void whatNoTwoDecodersReadAlikeIsRefused() throws IOException {
        for (Json one : Vectors.document("refused.json").list()) {
            byte[] file = Vectors.bytes(one.get("file"));
            String told = Vectors.refused(ClassifierException.Code.IMAGE, () -> ImageFile.read(file)).getMessage();
            assertTrue(told, told.contains(one.get("told").text()));
        }
        Vectors.refused(ClassifierException.Code.IMAGE, () -> ImageFile.read(null));
    }

    /** Nothing but the documented exception leaves the reader, whatever the bytes. */
    @Test
    public void damagedFilesAreReadOrRefused() throws IOException {
        Random random = new Random(0);
        for (Json one : Vectors.document("whole.json").list()) {
            byte[] whole = Vectors.bytes(one);
            for (int round = 0; round < 2_000; round++) {
                byte[] damaged = whole.clone();
                for (int i = 0; i < 3; i++) damaged[random.nextInt(damaged.length)] = (byte) random.nextInt(256);
                try {
                    ImageFile.read(damaged);
                } catch (ClassifierException expected) {
                    assertTrue(expected.code() == ClassifierException.Code.IMAGE);
                }
            }
        }
    }

    @Test
    public void aFlippedBitOfAPngIsRefused() throws IOException {
        byte[] whole = Vectors.bytes(Vectors.document("profiles.json").list().get(1).get("file"));
        for (int i = 0; i < whole.length; i++) {
            byte[] damaged = whole.clone();
            damaged[i] ^= 1 << i % 8;
            Vectors.refused(ClassifierException.Code.IMAGE, () -> ImageFile.read(damaged));
        }
    }

    @Test
    public void colourProfilesDoNotReachTheDecoder() throws IOException {
        for (Json one : Vectors.document("profiles.json").list()) {
            byte[] kept = ImageFile.read(Vectors.bytes(one.get("file"))).bytes();
            assertTrue(Arrays.equals(Vectors.bytes(one.get("without")), kept));
        }
    }
}
