/* A file of text messages of one size, one right after the other, which are used over and over. */
#ifndef TEXTS_H
#define TEXTS_H

#include <stdio.h>
#include <stdlib.h>

struct texts {
    char *bytes;
    size_t size, count;
};

/* Reads the file, or ends the program. The texts are never freed. */
static inline struct texts load_texts(const char *path, size_t size)
{
    struct texts texts = {.size = size};
    FILE *file = fopen(path, "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0 || size == 0 || (texts.count = (size_t)ftell(file) / size) == 0) {
        fprintf(stderr, "%s: no file of texts of %zu bytes\n", path, size);
        exit(1);
    }
    rewind(file);
    texts.bytes = malloc(texts.count * size);
    if (texts.bytes == NULL || fread(texts.bytes, size, texts.count, file) != texts.count)
        exit(1);
    fclose(file);
    return texts;
}

static inline const char *text_at(const struct texts *texts, size_t index)
{
    return texts->bytes + index % texts->count * texts->size;
}

#endif
