/* classify MODEL.tflite THRESHOLD REJECTION MELANOMA IMAGE...
 *
 * THRESHOLD, REJECTION: `threshold` and `rejection_threshold` of the file in policy.json. MELANOMA: its `task.melanoma`.
 * IMAGE: a binary PPM (P6, 8 bits) of any size; a file ending in .rgb is raw images of the network's own size, one after
 * the other. Prints a line an image: name, probability, decision, and the logits in hexadecimal, to the bit. Ends with 0,
 * or 2 when anything was refused, which is said on stderr: a refused image gets no probability. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "melanoma_edge.h"

typedef struct {
    melanoma_edge *classifier;
    double threshold, rejection;
    int melanoma;
} job;

static int number(const char *text, double *value) {
    char *end;
    errno = 0;
    *value = strtod(text, &end);
    return end != text && !*end && !errno && isfinite(*value);
}

/* 1 when the image was classified. */
static int say(const job *asked, const char *name, const uint8_t *rgb, int width, int height) {
    melanoma_edge_result found;
    melanoma_edge_status status = melanoma_edge_classify(asked->classifier, rgb, width, height, asked->melanoma, &found);
    if (status != MELANOMA_EDGE_OK) {
        fprintf(stderr, "%s: %s\n", name, melanoma_edge_why(status));
        return 0;
    }
    printf("%s %.9f %s%s", name, found.probability, found.probability >= asked->threshold ? "melanoma" : "other",
        found.entropy > asked->rejection ? ",uncertain" : "");
    for (int k = 0; k < found.classes; k++) printf(" %a", (double)found.logits[k]);
    printf("\n");
    return 1;
}

/* The next number of a PPM's head, -1 where there is none; comments are left out. */
static long field(FILE *file) {
    long value = 0;
    int c = fgetc(file), digits = 0;
    while (c == ' ' || (c >= '\t' && c <= '\r') || c == '#') {
        if (c == '#')
            while (c != '\n' && c != EOF) c = fgetc(file);
        c = fgetc(file);
    }
    for (; c >= '0' && c <= '9' && value <= MELANOMA_EDGE_MAX_SIDE; c = fgetc(file), digits++) value = value * 10 + c - '0';
    return digits && (c == ' ' || (c >= '\t' && c <= '\r')) ? value : -1;
}

static int ppm(const job *asked, const char *name, FILE *file) {
    int magic = fgetc(file) == 'P' && fgetc(file) == '6', done = 0;
    long width = magic ? field(file) : -1, height = width > 0 ? field(file) : -1, top = height > 0 ? field(file) : -1;
    size_t size = top > 0 ? (size_t)width * (size_t)height * 3 : 0;
    uint8_t *rgb = top == 255 && width <= MELANOMA_EDGE_MAX_SIDE && height <= MELANOMA_EDGE_MAX_SIDE ? malloc(size) : NULL;
    if (rgb && fread(rgb, 1, size, file) == size) done = say(asked, name, rgb, (int)width, (int)height);
    else fprintf(stderr, "%s: not a whole binary PPM (P6) of 8 bits with sides up to %d\n", name, MELANOMA_EDGE_MAX_SIDE);
    free(rgb);
    return done;
}

static int raw(const job *asked, const char *name, FILE *file) {
    int side = melanoma_edge_side(asked->classifier), done = 1, count = 0;
    size_t size = (size_t)side * (size_t)side * 3, got;
    uint8_t *rgb = malloc(size);
    while (rgb && done && (got = fread(rgb, 1, size, file)) == size) {
        done = say(asked, name, rgb, side, side);
        count++;
    }
    if (!rgb || (done && (got || !count))) {
        fprintf(stderr, "%s: not a whole number of images of %zu bytes\n", name, size);
        done = 0;
    }
    free(rgb);
    return done;
}

static int classify(const job *asked, const char *name) {
    size_t length = strlen(name);
    FILE *file = fopen(name, "rb");
    int done;
    if (!file) {
        fprintf(stderr, "%s: %s\n", name, strerror(errno));
        return 0;
    }
    done = length > 4 && !strcmp(name + length - 4, ".rgb") ? raw(asked, name, file) : ppm(asked, name, file);
    fclose(file);
    return done;
}

int main(int count, char **words) {
    job asked;
    double melanoma;
    int refused = 0;
    melanoma_edge_status status;
    if (count < 6 || !number(words[2], &asked.threshold) || !number(words[3], &asked.rejection) ||
        !number(words[4], &melanoma) || melanoma < 0 || melanoma >= MELANOMA_EDGE_MAX_CLASSES) {
        fprintf(stderr, "usage: %s MODEL.tflite THRESHOLD REJECTION MELANOMA IMAGE.ppm...\n", words[0]);
        return 2;
    }
    asked.melanoma = (int)melanoma;
    status = melanoma_edge_open(words[1], &asked.classifier);
    if (status != MELANOMA_EDGE_OK) {
        fprintf(stderr, "%s: %s\n", words[1], melanoma_edge_why(status));
        return 2;
    }
    for (int i = 5; i < count; i++) refused += !classify(&asked, words[i]);
    melanoma_edge_close(asked.classifier);
    return refused ? 2 : 0;
}
