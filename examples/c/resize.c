/* Pillow's Image.resize(BILINEAR), level for level: two passes of 22-bit fixed-point weights, antialiased when it
 * shrinks. After Pillow's Resample.c: precompute_coeffs, normalize_coeffs_8bpc, ImagingResampleHorizontal_8bpc. */
#include "resize.h"

#include <stdlib.h>
#include <string.h>

enum { BITS = 22, HALF = 1 << (BITS - 1) }; /* 32 bits less 8 of a pixel and 2 of headroom */

typedef struct {
    int first, count; /* of an output pixel: the first input pixel that it reads, and how many */
} reads;

static uint8_t level(int32_t sum) {
    int32_t value = sum >> BITS;
    return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

static int lesser(int a, int b) { return a < b ? a : b; }

/* The weights of one output pixel. */
static reads weigh(int out, int side, double scale, double support, double *real, int32_t *values) {
    double centre = (out + 0.5) * scale, total = 0;
    int low = (int)(centre - support + 0.5), high = lesser((int)(centre + support + 0.5), side);
    reads found;
    if (low < 0) low = 0;
    found.first = low;
    found.count = high - low;
    for (int i = 0; i < found.count; i++) {
        double at = (i + low - centre + 0.5) * (1 / support);
        real[i] = 1 - (at < 0 ? -at : at);
        if (real[i] < 0) real[i] = 0;
        total += real[i];
    }
    for (int i = 0; i < found.count; i++) values[i] = (int32_t)(0.5 + real[i] / total * (1 << BITS));
    return found;
}

/* One line of bytes, `step` apart, to `size` of them, as far apart. */
static void pass(const uint8_t *from, uint8_t *to, size_t step, int size, const reads *where, const int32_t *values,
    int widest) {
    for (int out = 0; out < size; out++) {
        const uint8_t *at = from + (size_t)where[out].first * step;
        const int32_t *weights = values + (size_t)out * (size_t)widest;
        int32_t sum = HALF;
        for (int i = 0; i < where[out].count; i++) sum += at[(size_t)i * step] * weights[i];
        to[(size_t)out * step] = level(sum);
    }
}

int resize_square(const uint8_t *rgb, int side, int size, uint8_t *result) {
    double scale = (double)side / size, support = scale > 1 ? scale : 1;
    int whole = (int)support, widest = (support > whole ? whole + 1 : whole) * 2 + 1;
    size_t row = (size_t)size * 3;
    int32_t *values;
    double *real;
    reads *where;
    uint8_t *narrow;
    if (side == size) {
        memcpy(result, rgb, row * (size_t)size);
        return 1;
    }
    values = malloc((size_t)size * (size_t)widest * sizeof *values);
    real = malloc((size_t)widest * sizeof *real);
    where = malloc((size_t)size * sizeof *where);
    narrow = malloc((size_t)side * row);
    if (values && real && where && narrow) {
        for (int out = 0; out < size; out++)
            where[out] = weigh(out, side, scale, support, real, values + (size_t)out * (size_t)widest);
        for (int y = 0; y < side; y++) /* across, a colour at a time */
            for (int colour = 0; colour < 3; colour++)
                pass(rgb + (size_t)y * (size_t)side * 3 + colour, narrow + (size_t)y * row + colour, 3, size, where,
                    values, widest);
        for (size_t column = 0; column < row; column++) /* down */
            pass(narrow + column, result + column, row, size, where, values, widest);
    }
    int done = values && real && where && narrow;
    free(values);
    free(real);
    free(where);
    free(narrow);
    return done;
}
