package melanoma.edge;

import java.nio.charset.Charset;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** A value read from JSON (RFC 8259); numbers are Python's to the bit. Asking for what is not there throws INTEGRITY. */
final class Json {
    private final Object value;
    private final String path;

    private Json(Object value, String path) {
        this.value = value;
        this.path = path;
    }

    /** The document in UTF-8 bytes. Throws ClassifierException INTEGRITY. */
    static Json read(byte[] bytes, String name) {
        return new Json(new Parser(new String(bytes, Charset.forName("UTF-8")), name).document(), name);
    }

    Json get(String key) {
        Object found = object().get(key);
        if (!object().containsKey(key)) throw wrong("a key " + key);
        return new Json(found, path + "." + key);
    }

    boolean has(String key) {
        return object().containsKey(key);
    }

    Set<String> keys() {
        return object().keySet();
    }

    List<Json> list() {
        if (!(value instanceof List)) throw wrong("a list");
        List<Json> all = new ArrayList<>();
        for (Object one : (List<?>) value) all.add(new Json(one, path + "[" + all.size() + "]"));
        return Collections.unmodifiableList(all);
    }

    double number() {
        if (!(value instanceof Double)) throw wrong("a number");
        return (Double) value;
    }

    int integer() {
        double found = number();
        if (found != (int) found) throw wrong("an integer");
        return (int) found;
    }

    String text() {
        if (!(value instanceof String)) throw wrong("a text");
        return (String) value;
    }

    boolean flag() {
        if (!(value instanceof Boolean)) throw wrong("true or false");
        return (Boolean) value;
    }

    double[] numbers() {
        List<Json> all = list();
        double[] found = new double[all.size()];
        for (int i = 0; i < found.length; i++) found[i] = all.get(i).number();
        return found;
    }

    @SuppressWarnings("unchecked")
    private Map<String, Object> object() {
        if (!(value instanceof Map)) throw wrong("an object");
        return (Map<String, Object>) value;
    }

    private ClassifierException wrong(String wanted) {
        String told = path + " holds no " + wanted.replaceFirst("^an? ", "");
        return new ClassifierException(ClassifierException.Code.INTEGRITY, told);
    }

    private static final class Parser {
        private static final int DEEPEST = 64;
        private final String text;
        private final String name;
        private int at;
        private int depth;

        Parser(String text, String name) {
            this.text = text;
            this.name = name;
        }

        Object document() {
            Object found = value();
            space();
            if (at < text.length()) throw wrong();
            return found;
        }

        private Object value() {
            space();
            char first = peek();
            if (first == '{') return object();
            if (first == '[') return array();
            if (first == '"') return string();
            if (taken("true")) return true;
            if (taken("false")) return false;
            if (taken("null")) return null;
            return number();
        }

        private Map<String, Object> object() {
            Map<String, Object> found = new LinkedHashMap<>();
            enter();
            if (!ends('}')) {
                do {
                    space();
                    String key = string();
                    space();
                    expect(':');
                    found.put(key, value());
                } while (goesOn('}'));
            }
            depth--;
            return found;
        }

        private List<Object> array() {
            List<Object> found = new ArrayList<>();
            enter();
            if (!ends(']')) {
                do found.add(value()); while (goesOn(']'));
            }
            depth--;
            return found;
        }

        private void enter() {
            at++;
            if (++depth > DEEPEST) throw wrong();
        }

        private boolean ends(char closing) {
            space();
            if (peek() != closing) return false;
            at++;
            return true;
        }

        private boolean goesOn(char closing) {
            if (ends(closing)) return false;
            expect(',');
            return true;
        }

        private String string() {
            expect('"');
            StringBuilder found = new StringBuilder();
            for (char c = next(); c != '"'; c = next()) {
                if (c < ' ') throw wrong();
                found.append(c == '\\' ? escaped() : c);
            }
            return found.toString();
        }

        private char escaped() {
            char c = next();
            int plain = "\"\\/".indexOf(c);
            if (plain >= 0) return c;
            int control = "bfnrt".indexOf(c);
            if (control >= 0) return "\b\f\n\r\t".charAt(control);
            if (c != 'u' || at + 4 > text.length()) throw wrong();
            int unit = 0;
            for (int i = 0; i < 4; i++) {
                int digit = Character.digit(next(), 16);
                if (digit < 0) throw wrong();
                unit = unit * 16 + digit;
            }
            return (char) unit;
        }

        private Double number() {
            int from = at;
            while (at < text.length() && "+-.eE0123456789".indexOf(text.charAt(at)) >= 0) at++;
            String found = text.substring(from, at);
            if (!found.matches("-?(0|[1-9][0-9]*)(\\.[0-9]+)?([eE][-+]?[0-9]+)?")) throw wrong();
            return Double.valueOf(found);
        }

        private boolean taken(String word) {
            if (!text.startsWith(word, at)) return false;
            at += word.length();
            return true;
        }

        private void space() {
            while (at < text.length() && " \t\r\n".indexOf(text.charAt(at)) >= 0) at++;
        }

        private char peek() {
            if (at >= text.length()) throw wrong();
            return text.charAt(at);
        }

        private char next() {
            char c = peek();
            at++;
            return c;
        }

        private void expect(char wanted) {
            if (next() != wanted) throw wrong();
        }

        private ClassifierException wrong() {
            return new ClassifierException(
                ClassifierException.Code.INTEGRITY, name + " is not JSON: something else stands at character " + at);
        }
    }
}
