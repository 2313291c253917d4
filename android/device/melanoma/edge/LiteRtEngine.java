package melanoma.edge;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HashMap;
import java.util.Map;
import org.tensorflow.lite.Interpreter;

/** LiteRT's interpreter on one thread, with the XNNPACK delegate that it applies by itself. */
final class LiteRtEngine implements Engine {
    private static final int FLOAT = 4;
    private final Interpreter interpreter;
    private final ByteBuffer input;
    private final ByteBuffer logits;
    private final ByteBuffer map; // or null
    private final int[] heatMap;

    private LiteRtEngine(Interpreter interpreter, int size, int classes, int[] heatMap) {
        this.interpreter = interpreter;
        this.heatMap = heatMap;
        this.input = buffer(size * size * Resize.CHANNELS * FLOAT);
        this.logits = buffer(classes * FLOAT);
        this.map = heatMap == null ? null : buffer(heatMap[0] * heatMap[1] * FLOAT);
    }

    /** Throws ClassifierException RUNTIME. */
    static final class Opener implements Engine.Opener {
        @Override
        public Engine open(byte[] model, int size, int classes, int[] heatMap) {
            ByteBuffer held = buffer(model.length);
            held.put(model);
            held.rewind();
            try {
                Interpreter.Options options = new Interpreter.Options();
                options.setNumThreads(1);
                return new LiteRtEngine(new Interpreter(held, options), size, classes, heatMap);
            } catch (RuntimeException | LinkageError cause) {
                throw failed("LiteRT could not load the network", cause);
            }
        }
    }

    @Override
    public Answer run(float[] pixels) {
        Map<Integer, Object> outputs = new HashMap<>();
        input.rewind();
        input.asFloatBuffer().put(pixels);
        logits.rewind();
        outputs.put(0, logits);
        if (map != null) {
            map.rewind();
            outputs.put(1, map);
        }
        try {
            interpreter.runForMultipleInputsOutputs(new Object[] {input}, outputs);
        } catch (RuntimeException cause) {
            throw failed("LiteRT could not run the network", cause);
        }
        return new Answer(floats(logits), map == null ? null : new Grid(heatMap[1], heatMap[0], floats(map)));
    }

    @Override
    public void close() {
        interpreter.close();
    }

    private static ByteBuffer buffer(int bytes) {
        return ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
    }

    private static float[] floats(ByteBuffer from) {
        float[] found = new float[from.capacity() / FLOAT];
        from.rewind();
        from.asFloatBuffer().get(found);
        return found;
    }

    private static ClassifierException failed(String what, Throwable cause) {
        return new ClassifierException(ClassifierException.Code.RUNTIME, what + ": " + cause.getMessage(), cause);
    }
}
