package melanoma.edge;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.junit.Test;

public class JsonTest {
    private static Json read(String text) {
        return Json.read(text.getBytes(StandardCharsets.UTF_8), "it");
    }

    @Test
    public void numbersAndTextsArePythons() throws IOException {
        Json all = Vectors.document("json.json");
        for (Json one : all.get("numbers").list()) {
            assertEquals(one.get("bits").text(), Long.toHexString(Double.doubleToLongBits(one.get("value").number())));
        }
        for (Json one : all.get("texts").list()) {
            byte[] utf8 = one.get("value").text().getBytes(StandardCharsets.UTF_8);
            assertEquals(one.get("sha256").text(), Assets.sha256(utf8));
        }
    }

    @Test
    public void structureIsRead() {
        Json found = read(" {\"a\": [1, -2.5e1, true, null, \"\\u00e4\\n\"], \"b\": {}, \"c\": []} ");
        assertEquals(-25, found.get("a").list().get(1).integer());
        assertTrue(found.get("a").list().get(2).flag());
        assertEquals("\u00e4\n", found.get("a").list().get(4).text());
        assertEquals(0, found.get("c").list().size());
        assertEquals(3, found.keys().size());
    }

    @Test
    public void whatIsNotJsonIsRefused() {
        String[] wrong = {"", "{", "[1,]", "{\"a\":1,}", "{'a':1}", "01", "1.", "+1", "NaN", "[1 2]", "\"a", "\"\\x\"",
            "\"\\u12g4\"", "{\"a\" 1}", "tru", "[] []", "\"\n\"", "[".repeat(10_000)};
        for (String text : wrong) Vectors.refused(ClassifierException.Code.INTEGRITY, () -> read(text));
    }

    @Test
    public void whatIsMissingOrOfAnotherKindIsRefused() {
        Json found = read("{\"a\": 1.5}");
        Vectors.refused(ClassifierException.Code.INTEGRITY, () -> found.get("b"));
        Vectors.refused(ClassifierException.Code.INTEGRITY, () -> found.get("a").text());
        Vectors.refused(ClassifierException.Code.INTEGRITY, () -> found.get("a").integer());
        Vectors.refused(ClassifierException.Code.INTEGRITY, () -> found.list());
    }
}
