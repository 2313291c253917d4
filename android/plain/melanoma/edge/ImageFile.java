package melanoma.edge;

import java.io.ByteArrayOutputStream;
import java.util.zip.CRC32;

/**
 * What a JPEG or PNG file says before anything decodes it: its size, how it lies (EXIF), and whether it is whole.
 *
 * <p>Android's decoder returns half a picture for half a file, and converts colours by embedded profiles; Python does
 * neither. So files that end early are refused here, and profiles are left out of what goes to the decoder.
 */
final class ImageFile {
    private static final int[] PNG = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
    private static final int START_OF_SCAN = 0xda;
    private static final int END = 0xd9;

    private final byte[] file;
    private final ByteArrayOutputStream kept;
    private int width;
    private int height;
    private int orientation = 1;
    private boolean ended;

    private ImageFile(byte[] file) {
        this.file = file;
        this.kept = new ByteArrayOutputStream(file.length);
    }

    /**
     * Read what stands around the pixels.
     *
     * @throws ClassifierException IMAGE for other formats, files that end early, CMYK, 16 bits, palettes, and sizes
     *     outside the limits
     */
    static ImageFile read(byte[] file) {
        if (file == null) throw Frame.unusable("the image is null: the bytes of a JPEG or PNG file are accepted");
        ImageFile found = new ImageFile(file);
        if (file.length > 3 && found.at(0) == 0xff && found.at(1) == 0xd8) found.jpeg();
        else if (found.startsWith(PNG)) found.png();
        else throw Frame.unusable(file.length + " bytes that are neither JPEG nor PNG: one of these is accepted");
        if (!found.ended || found.width == 0) throw broken();
        Frame.check(found.width, found.height);
        return found;
    }

    /** The file without its colour profile. */
    byte[] bytes() {
        return kept.toByteArray();
    }

    /** EXIF's, 1 to 8. */
    int orientation() {
        return orientation;
    }

    /** As the pixels lie in the file. */
    int width() {
        return width;
    }

    int height() {
        return height;
    }

    private void jpeg() {
        kept.write(file, 0, 2);
        int from = 2;
        while (!ended) {
            int marker = from;
            if (at(from) != 0xff) throw broken();
            while (at(from) == 0xff) from++; // fill bytes
            int kind = at(from++);
            if (kind == END) {
                kept.write(file, marker, file.length - marker); // what follows, decoders leave alone
                ended = true;
                return;
            }
            int length = big(from, 2);
            if (length < 2 || from + length > file.length) throw broken();
            segment(kind, from + 2, length - 2);
            int next = kind == START_OF_SCAN ? scanned(from + length) : from + length;
            if (!profile(kind, from + 2, length - 2)) kept.write(file, marker, next - marker);
            from = next;
        }
    }

    private void segment(int kind, int from, int length) {
        boolean frame = kind >= 0xc0 && kind <= 0xcf && kind != 0xc4 && kind != 0xc8 && kind != 0xcc;
        if (frame) {
            if (length < 6 || at(from) != 8) {
                throw Frame.unusable("a JPEG file of other than 8 bits a channel: 8 are accepted");
            }
            int channels = at(from + 5);
            if (channels != 1 && channels != 3) {
                throw Frame.unusable("a JPEG file of " + channels + " channels: grey or three channels are accepted");
            }
            height = big(from + 1, 2);
            width = big(from + 3, 2);
        } else if (kind == 0xe1 && length > 6 && text(from, 6).equals("Exif\0\0")) {
            exif(from + 6, from + length);
        }
    }

    private boolean profile(int kind, int from, int length) {
        return kind == 0xe2 && length > 12 && text(from, 12).equals("ICC_PROFILE\0");
    }

    /** The end of a scan's coded data: the next marker that is neither a stuffed zero nor a restart. */
    private int scanned(int start) {
        for (int from = start; ; from++) {
            if (at(from) != 0xff) continue;
            int next = at(from + 1);
            if (next != 0 && next != 0xff && (next < 0xd0 || next > 0xd7)) return from;
        }
    }

    private void png() {
        kept.write(file, 0, PNG.length);
        for (int from = PNG.length; !ended; ) {
            int length = big(from, 4);
            if (length < 0 || length > file.length - from - 12) throw broken();
            CRC32 sum = new CRC32();
            sum.update(file, from + 4, length + 4);
            if ((int) sum.getValue() != big(from + 8 + length, 4)) throw broken();
            String kind = text(from + 4, 4);
            chunk(kind, from + 8, length);
            if (!kind.matches("iCCP|sRGB|gAMA|cHRM|cICP")) kept.write(file, from, length + 12);
            from += length + 12;
        }
    }

    private void chunk(String kind, int from, int length) {
        if (kind.equals("IHDR")) {
            if (length != 13) throw broken();
            width = big(from, 4);
            height = big(from + 4, 4);
            if (at(from + 8) != 8 || at(from + 9) == 3) {
                throw Frame.unusable(
                    "a PNG file with a palette or of other than 8 bits a channel: 8 bits and no palette are accepted");
            }
        } else if (kind.equals("eXIf")) {
            exif(from, from + length);
        }
        ended = kind.equals("IEND");
    }

    /** The orientation in the first directory of a TIFF block; what cannot be read counts as upright, as in Pillow. */
    private void exif(int from, int end) {
        if (end - from < 8) return;
        boolean little = at(from) == 'I';
        long first = order(from + 4, 4, little);
        if (first < 8 || from + first + 2 > end) return;
        int entry = from + (int) first + 2;
        int count = (int) order(entry - 2, 2, little);
        for (int i = 0; i < count && entry + 12 <= end; i++, entry += 12) {
            if (order(entry, 2, little) != 0x0112) continue;
            orientation = (int) order(entry + 8, 2, little);
            return;
        }
    }

    private long order(int from, int count, boolean little) {
        long found = 0;
        for (int i = 0; i < count; i++) found = found << 8 | at(from + (little ? count - 1 - i : i));
        return found;
    }

    private int big(int from, int count) {
        return (int) order(from, count, false);
    }

    private int at(int index) {
        if (index >= file.length) throw broken();
        return file[index] & 255;
    }

    private boolean startsWith(int[] wanted) {
        if (file.length < wanted.length) return false;
        for (int i = 0; i < wanted.length; i++) if (at(i) != wanted[i]) return false;
        return true;
    }

    private String text(int from, int count) {
        StringBuilder found = new StringBuilder();
        for (int i = 0; i < count; i++) found.append((char) at(from + i));
        return found.toString();
    }

    private static ClassifierException broken() {
        return Frame.unusable("the image file is broken or ends early: a whole JPEG or PNG file is accepted");
    }
}
