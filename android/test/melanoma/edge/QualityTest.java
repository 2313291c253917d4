package melanoma.edge;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.Test;

public class QualityTest {
    @Test
    public void measuresAndAdviceArePythonsToTheBit() throws IOException {
        Json all = Vectors.document("quality.json");
        int seen = 0;
        for (Json one : all.get("images").list()) {
            byte[] rgb = Vectors.bytes(one.get("rgb"));
            Quality found = Quality.of(rgb, one.get("size").integer(), all.get("capture"));
            Measures m = found.measures;
            double[] measures = {m.focus, m.luminance, m.shadows, m.highlights, m.area, m.contrast, m.offset, m.cut};
            double[] wanted = one.get("measures").numbers();
            for (int i = 0; i < wanted.length; i++) {
                assertEquals(Double.doubleToLongBits(wanted[i]), Double.doubleToLongBits(measures[i]));
            }
            assertEquals(texts(one.get("advice")), found.advice);
            assertEquals(found.advice.size(), found.words.size());
            assertTrue(Quality.of(rgb, one.get("size").integer(), null).advice.isEmpty());
            seen++;
        }
        assertTrue(seen >= 50);
    }

    @Test
    public void limitsOfOtherMeasuresAreRefused() {
        Json other = Json.read("{\"version\": 2}".getBytes(), "policy.json");
        Vectors.refused(ClassifierException.Code.INTEGRITY, () -> Quality.of(new byte[192], 8, other));
    }

    private static List<String> texts(Json list) {
        List<String> found = new ArrayList<>();
        for (Json one : list.list()) found.add(one.text());
        return found;
    }
}
