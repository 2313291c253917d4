package melanoma.edge;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/** Files as they were built: everything that the manifest lists is hashed before it is used. */
final class Assets {
    static final String MANIFEST = "manifest.json";
    private static final String HEX = "0123456789abcdef";
    private final Source source;

    /** Where they lie. */
    interface Source {
        InputStream open(String name) throws IOException;
    }

    Assets(Source source) {
        this.source = source;
    }

    /** The bytes of {@code name}. Throws ClassifierException ASSET. */
    byte[] read(String name) {
        try (InputStream in = source.open(name)) {
            ByteArrayOutputStream found = new ByteArrayOutputStream();
            byte[] buffer = new byte[65_536];
            for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) found.write(buffer, 0, n);
            return found.toByteArray();
        } catch (IOException cause) {
            String told = "the asset " + name + " could not be read: is it in the app's assets?";
            throw new ClassifierException(ClassifierException.Code.ASSET, told, cause);
        }
    }

    /** The same, checked against its entry of the manifest. Throws ClassifierException ASSET or INTEGRITY. */
    byte[] read(String name, Json listed) {
        byte[] found = read(name);
        String hash = sha256(found);
        String wanted = listed.get("sha256").text();
        if (hash.equals(wanted)) return found;
        throw new ClassifierException(
            ClassifierException.Code.INTEGRITY,
            "the asset " + name + " is not the file that was built: its sha256 is " + hash + ", the manifest says " + wanted
                + ". Add the AAR again, and let nothing rewrite its assets.");
    }

    /** In hex. */
    static String sha256(byte[] data) {
        byte[] digest;
        try {
            digest = MessageDigest.getInstance("SHA-256").digest(data);
        } catch (NoSuchAlgorithmException impossible) { // every Java has it
            throw new IllegalStateException(impossible);
        }
        StringBuilder hex = new StringBuilder();
        for (byte one : digest) hex.append(HEX.charAt(one >> 4 & 15)).append(HEX.charAt(one & 15));
        return hex.toString();
    }

    /** Base64 (RFC 4648) without line breaks: java.util has none before Android 8. Throws ClassifierException INTEGRITY. */
    static byte[] base64(String text) {
        String digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        int end = text.length();
        while (end > 0 && text.charAt(end - 1) == '=') end--;
        byte[] found = new byte[end * 3 / 4];
        int bits = 0;
        for (int i = 0, to = 0, held = 0; i < end; i++) {
            int digit = digits.indexOf(text.charAt(i));
            if (digit < 0) throw new ClassifierException(ClassifierException.Code.INTEGRITY, "golden.json holds no base64");
            bits = bits << 6 | digit;
            held += 6;
            if (held < 8) continue;
            held -= 8;
            found[to++] = (byte) (bits >> held);
        }
        return found;
    }
}
