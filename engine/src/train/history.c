#include "train/history.h"

#include "base/error.h"
#include "base/mem.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void eng_history_fini(struct eng_history *history)
{
    free(history->epochs);
    free(history->changes);
    memset(history, 0, sizeof *history);
}

enum eng_status eng_history_add(struct eng_history *history, const struct eng_train_epoch *epoch,
                                struct eng_error *err)
{
    if (!eng_grow(&history->epochs, &history->capacity, history->n_epochs + 1,
                  sizeof *history->epochs))
        return eng_fail_memory(err, "the training history");
    history->epochs[history->n_epochs++] = *epoch;
    return ENG_OK;
}

/* What was not measured is left out: JSON has no word for it. */
static void print_epoch(FILE *out, const struct eng_train_epoch *epoch)
{
    const struct {
        const char *key;
        double value;
    } figures[] = {
        {"learning_rate", epoch->learning_rate},
        {"loss", epoch->loss},
        {"accuracy", epoch->accuracy},
        {"validation_loss", epoch->validation_loss},
        {"validation_accuracy", epoch->validation_accuracy},
        {"test_loss", epoch->test_loss},
        {"test_accuracy", epoch->test_accuracy},
    };
    const char *separator = "{";
    for (size_t i = 0; i < sizeof figures / sizeof figures[0]; i++) {
        if (isnan(figures[i].value)) continue;
        fprintf(out, "%s\"%s\":%.6g", separator, figures[i].key, figures[i].value);
        separator = ",";
    }
    fputs(*separator == '{' ? "{}" : "}", out);
}

static void print(FILE *out, const struct eng_history *history)
{
    fprintf(out, "{\"seed\":%lld,\"n_train\":%zu", (long long)history->seed, history->n_train);
    if (history->n_validation > 0) fprintf(out, ",\"n_validation\":%zu", history->n_validation);
    fprintf(out, ",\"n_test\":%zu,\"n_parameters\":%zu", history->n_test, history->n_parameters);
    if (history->kept_epoch != history->n_epochs)
        fprintf(out, ",\"kept_epoch\":%zu", history->kept_epoch);
    if (history->changes) fprintf(out, ",\"changes\":%s", history->changes);
    fputs(",\"epochs\":[", out);
    for (size_t i = 0; i < history->n_epochs; i++) {
        if (i) fputc(',', out);
        print_epoch(out, &history->epochs[i]);
    }
    fputs("]}", out);
}

enum eng_status eng_history_format(const struct eng_history *history, char **text,
                                   struct eng_error *err)
{
    char *made = NULL;
    size_t n_bytes;
    FILE *out = open_memstream(&made, &n_bytes);
    if (!out) return eng_fail_memory(err, "the training history");
    print(out, history);
    int failed = ferror(out);
    if (fclose(out) != 0 || failed) {
        free(made);
        return eng_fail_memory(err, "the training history");
    }
    *text = made;
    return ENG_OK;
}
