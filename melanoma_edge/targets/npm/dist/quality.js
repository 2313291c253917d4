/**
 * Whether a photograph is fit to be judged, without a network. `melanoma_edge/data/quality.py` defines the measures;
 * these are the same numbers to the bit: integers below 2^53 up to one division or square root in float64.
 */
const GRID = 32;
const CENTRE_WEIGHT = 8;
const SHADOW = 15;
const HIGHLIGHT = 250;
const NOWHERE = { area: 0, contrast: 0, offset: 0, cut: 0 };
/** Measures and advice for uint8 RGB pixels `[size, size, 3]`. */
export function assess(pixels, size, policy) {
    const measures = measure(pixels, size);
    return { measures, advice: policy ? adviceFor(measures, policy) : [] };
}
/** The measures of uint8 RGB pixels `[size, size, 3]`. */
export function measure(pixels, size) {
    const count = size * size;
    const light = new Int32Array(count);
    let [sum, dark, bright] = [0, 0, 0];
    for (let i = 0; i < count; i++) {
        const [red, green, blue] = [pixels[3 * i], pixels[3 * i + 1], pixels[3 * i + 2]];
        const y = (77 * red + 150 * green + 29 * blue + 128) >> 8;
        light[i] = y;
        sum += y;
        if (y <= SHADOW)
            dark++;
        if (Math.max(red, green, blue) >= HIGHLIGHT)
            bright++;
    }
    return {
        focus: focus(light, size),
        luminance: sum / count,
        shadows: dark / count,
        highlights: bright / count,
        ...lesion(cells(pixels, size)),
    };
}
function adviceFor(found, { limits, advice }) {
    const absent = found.contrast < limits.min_contrast || found.area < limits.min_area;
    const wrong = {
        blurred: found.focus < limits.min_focus,
        too_dark: found.luminance < limits.min_luminance || found.shadows > limits.max_shadows,
        too_bright: found.luminance > limits.max_luminance || found.highlights > limits.max_highlights,
        no_lesion: absent,
        lesion_cut: !absent && found.cut > limits.max_cut,
        off_centre: !absent && found.offset > limits.max_offset,
    };
    return Object.keys(advice).filter((code) => wrong[code]);
}
function focus(light, size) {
    const k = Math.max(1, Math.floor((size + 80) / 160));
    let [sum, count] = [0, 0];
    for (let i = k; i < size - k; i++) {
        for (let j = i * size + k, end = i * size + size - k; j < end; j++) {
            const curved = 4 * light[j] - light[j - k * size] - light[j + k * size] - light[j - k] - light[j + k];
            sum += curved * curved;
            count++;
        }
    }
    return count ? sum / count : 0;
}
/** Rounded means of the blue channel over the cells of the grid. */
function cells(pixels, size) {
    const side = Math.min(GRID, size);
    const edges = Array.from({ length: side + 1 }, (_, i) => Math.floor((i * size) / side));
    const values = new Int32Array(side * side);
    for (let a = 0; a < side; a++) {
        for (let b = 0; b < side; b++) {
            const [top, bottom, left, right] = [edges[a], edges[a + 1], edges[b], edges[b + 1]];
            let sum = 0;
            for (let row = top; row < bottom; row++) {
                for (let column = left; column < right; column++)
                    sum += pixels[(row * size + column) * 3 + 2];
            }
            const n = (bottom - top) * (right - left);
            values[a * side + b] = Math.floor((2 * sum + n) / (2 * n));
        }
    }
    return { values, side };
}
/** Area, contrast, offset and cut of the lesion on a grid of cells. */
function lesion({ values, side }) {
    const { disc, ring, ringCells, discCells } = geometry(side);
    const threshold = otsu(values, disc);
    if (threshold === null)
        return NOWHERE;
    const inside = heaviest(side, disc, (cell) => values[cell] <= threshold);
    let [n1, n2, s1, s2, x, y, edgeX, edgeY] = [0, 0, 0, 0, 0, 0, 0, 0];
    for (let cell = 0; cell < values.length; cell++) {
        if (!disc[cell])
            continue;
        if (inside[cell]) {
            const [down, across] = at(cell, side);
            n1++;
            s1 += values[cell];
            x += across;
            y += down;
            if (ring[cell]) {
                edgeX += across;
                edgeY += down;
            }
        }
        else if (values[cell] > threshold) {
            n2++;
            s2 += values[cell];
        }
    }
    return {
        area: n1 / discCells,
        contrast: (s2 * n1 - s1 * n2) / (n1 * n2),
        offset: Math.sqrt(x * x + y * y) / (n1 * side),
        cut: Math.sqrt(edgeX * edgeX + edgeY * edgeY) / (ringCells * side),
    };
}
/** y and x of a cell, in half cells from the middle. */
function at(cell, side) {
    return [2 * Math.floor(cell / side) + 1 - side, 2 * (cell % side) + 1 - side];
}
function geometry(side) {
    const disc = Uint8Array.from({ length: side * side }, (_, cell) => {
        const [y, x] = at(cell, side);
        return y * y + x * x <= side * side ? 1 : 0;
    });
    const ring = disc.map((within, cell) => (within && neighbours(cell, side).some((n) => n < 0 || !disc[n]) ? 1 : 0));
    const total = (mask) => mask.reduce((sum, one) => sum + one, 0);
    return { disc, ring, discCells: total(disc), ringCells: total(ring) };
}
/** The four cells around a cell; -1 for those outside the grid. */
function neighbours(cell, side) {
    const column = cell % side;
    return [
        cell >= side ? cell - side : -1,
        cell < side * (side - 1) ? cell + side : -1,
        column ? cell - 1 : -1,
        column < side - 1 ? cell + 1 : -1,
    ];
}
/** Otsu's threshold over the disc, the lowest of equals; null when all values are the same. */
function otsu(values, disc) {
    const histogram = new Int32Array(256);
    let [count, total] = [0, 0];
    values.forEach((value, cell) => {
        if (!disc[cell])
            return;
        histogram[value]++;
        count++;
        total += value;
    });
    let [best, highest] = [-1, -1];
    for (let level = 0, w0 = 0, s0 = 0; level < 255; level++) {
        w0 += histogram[level];
        s0 += histogram[level] * level;
        const w1 = count - w0;
        if (!w0 || !w1)
            continue;
        const d = s0 * w1 - (total - s0) * w0;
        const score = (d * d) / (w0 * w1);
        if (score > highest)
            [best, highest] = [level, score];
    }
    return best < 0 ? null : best;
}
/** The heaviest 4-connected set of the disc's cells that `belongs`; of equals, the first row by row. */
function heaviest(side, disc, belongs) {
    const seen = new Uint8Array(side * side);
    let [best, most] = [new Uint8Array(side * side), 0];
    for (let start = 0; start < seen.length; start++) {
        if (seen[start] || !disc[start] || !belongs(start))
            continue;
        const members = new Uint8Array(side * side);
        const waiting = [start];
        let weight = 0;
        seen[start] = 1;
        for (let cell = waiting.pop(); cell !== undefined; cell = waiting.pop()) {
            const [y, x] = at(cell, side);
            members[cell] = 1;
            weight += 4 * (y * y + x * x) <= side * side ? CENTRE_WEIGHT : 1;
            for (const next of neighbours(cell, side)) {
                if (next < 0 || seen[next] || !disc[next] || !belongs(next))
                    continue;
                seen[next] = 1;
                waiting.push(next);
            }
        }
        if (weight > most)
            [best, most] = [members, weight];
    }
    return best;
}
