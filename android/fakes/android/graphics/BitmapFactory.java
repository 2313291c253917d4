package android.graphics;

import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import javax.imageio.ImageIO;

/** As much of Android's class as the package uses, with the desktop's decoder. */
public final class BitmapFactory {
    private BitmapFactory() {}

    public static class Options {
        public Bitmap.Config inPreferredConfig;
        public boolean inScaled;
    }

    public static Bitmap decodeByteArray(byte[] data, int offset, int length, Options options) {
        try {
            BufferedImage found = ImageIO.read(new ByteArrayInputStream(data, offset, length));
            return found == null ? null : new Bitmap(found);
        } catch (IOException cause) {
            return null; // as Android's
        }
    }
}
