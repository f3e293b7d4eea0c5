/* What `classify train` writes beside model.onnx: how the model came to be and what it can do. */
#ifndef TOOLS_CARD_FILES_H
#define TOOLS_CARD_FILES_H

#include "engine/train.h"
#include "json.h"

#include <stdbool.h>
#include <stdio.h>

/* The model file that a run wrote. */
struct tool_model_file {
    size_t n_bytes;
    const char *digest; /* SHA-256, hex */
    double flops;       /* of one sample; multiply-adds count twice */
    bool has_regions;   /* regions.png was drawn */
};

/*
 * Purpose: card.json (all that follows as numbers), README.md (the same to read), curves.svg (if
 *          there were epochs), mistakes.png (if pictures were mistaken) and regions.png (for points
 * in a plane) into dir, where the run wrote model.onnx. Nothing of it is read when a model is
 *          served. data_dir: the run's, NULL if it had none.
 * Errors: those of opening the model and the data; IO, NO_MEMORY.
 */
enum eng_status tool_card_files_write(const char *dir, const char *data_dir,
                                      const struct eng_train_report *report, struct eng_error *err);

/* Purpose: card.json's object. New reference; NULL when out of memory or a label is not UTF-8. */
json_t *tool_card_json(const struct eng_train_report *report, const struct tool_model_file *file);

/* Purpose: writes README.md. Errors: NO_MEMORY; those of the stream show in it. */
enum eng_status tool_card_text(const struct eng_train_report *report,
                               const struct tool_model_file *file, FILE *out,
                               struct eng_error *err);

/* Purpose: prints a text such as a label so that Markdown shows it as it is, in a table too. */
void tool_markdown_text(FILE *out, const char *text);

/* Purpose: "64 kB", "8.3 MB" into buf; the same for counts with "" and " million". Returns buf. */
char *tool_format_bytes(double n_bytes, char *buf, size_t n);
char *tool_format_count(double count, char *buf, size_t n);

#endif
