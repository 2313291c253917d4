package melanoma.edge;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertTrue;

import java.io.IOException;
import org.junit.Test;

public class ResizeTest {
    @Test
    public void everyLevelIsPillows() throws IOException {
        int seen = 0;
        for (Json one : Vectors.document("resize.json").list()) {
            int side = one.get("side").integer();
            int size = one.get("size").integer();
            byte[] found = Resize.square(Vectors.bytes(one.get("from")), side, size);
            assertArrayEquals(side + " to " + size, Vectors.bytes(one.get("to")), found);
            seen++;
        }
        assertTrue(seen >= 50);
    }
}
