package melanoma.edge;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;

import android.graphics.Bitmap;
import android.graphics.BitmapFactory;
import java.io.IOException;
import org.junit.Test;

public class FrameTest {
    private static Pixels decoded(ImageFile file) {
        byte[] kept = file.bytes();
        Bitmap found = BitmapFactory.decodeByteArray(kept, 0, kept.length, new BitmapFactory.Options());
        return new BitmapPixels(found);
    }

    @Test
    public void everyPixelOfTheUprightSquareIsPillows() throws IOException {
        int seen = 0;
        for (Json one : Vectors.document("frames.json").list()) {
            ImageFile file = ImageFile.read(Vectors.bytes(one.get("file")));
            assertEquals(one.get("orientation").integer(), file.orientation());
            Frame frame = Frame.of(decoded(file), file.orientation());
            assertArrayEquals(one.get("file").text(), Vectors.bytes(one.get("square")), frame.rgb);
            seen++;
        }
        assertTrue(seen >= 32);
    }

    @Test
    public void sidesOutsideTheLimitsAreRefused() {
        int[][] sizes = {{0, 0}, {1, 10_000}, {10_000, 1}, {7, 100}, {20_001, 100}, {9_460, 9_460}, {-5, 20}};
        for (int[] size : sizes) {
            Pixels never = new Pixels() {
                @Override
                public int width() {
                    return size[0];
                }

                @Override
                public int height() {
                    return size[1];
                }

                @Override
                public void row(int x, int y, int count, int[] argb) {
                    throw new AssertionError("read although it is refused");
                }
            };
            Vectors.refused(ClassifierException.Code.IMAGE, () -> Frame.of(never, 1));
        }
    }
}
