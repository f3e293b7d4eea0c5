/* Runs a fuzz target over every file of the folders given: corpus and old crashes, in ctest. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes);

static int replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file) return -1;
    size_t capacity = 1 << 16, n = 0;
    uint8_t *bytes = malloc(capacity);
    while (bytes) {
        n += fread(bytes + n, 1, capacity - n, file);
        if (n < capacity) break;
        uint8_t *larger = realloc(bytes, capacity * 2);
        if (!larger) {
            free(bytes);
            bytes = NULL;
        } else {
            bytes = larger;
            capacity *= 2;
        }
    }
    fclose(file);
    if (!bytes) return -1;
    /* An exact copy, so that the sanitizer sees a read past the end. */
    uint8_t *exact = malloc(n ? n : 1);
    if (exact) {
        memcpy(exact, bytes, n);
        LLVMFuzzerTestOneInput(exact, n);
    }
    free(exact);
    free(bytes);
    return exact ? 0 : -1;
}

int main(int argc, char **argv)
{
    size_t n_files = 0;
    for (int i = 1; i < argc; i++) {
        DIR *dir = opendir(argv[i]);
        if (!dir) continue;
        for (struct dirent *entry; (entry = readdir(dir));) {
            if (entry->d_name[0] == '.') continue;
            char path[4096];
            snprintf(path, sizeof path, "%s/%s", argv[i], entry->d_name);
            if (replay_file(path) != 0) {
                fprintf(stderr, "%s: could not be read\n", path);
                closedir(dir);
                return 1;
            }
            n_files++;
        }
        closedir(dir);
    }
    printf("%zu files replayed\n", n_files);
    return n_files ? 0 : 1;
}
