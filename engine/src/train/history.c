#include "train/history.h"

#include "base/error.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void eng_history_fini(struct eng_history *history)
{
    free(history->epochs);
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

static void print_epoch(FILE *out, const struct eng_train_epoch *epoch)
{
    fprintf(out,
            "{\"learning_rate\":%.6g,\"loss\":%.6g,\"accuracy\":%.6g,\"test_loss\":%.6g,"
            "\"test_accuracy\":%.6g}",
            epoch->learning_rate, epoch->loss, epoch->accuracy, epoch->test_loss,
            epoch->test_accuracy);
}

enum eng_status eng_history_format(const struct eng_history *history, char **text,
                                   struct eng_error *err)
{
    char *made = NULL;
    size_t n_bytes;
    FILE *out = open_memstream(&made, &n_bytes);
    if (!out) return eng_fail_memory(err, "the training history");
    fprintf(out, "{\"seed\":%lld,\"n_train\":%zu,\"n_test\":%zu,\"n_parameters\":%zu,\"epochs\":[",
            (long long)history->seed, history->n_train, history->n_test, history->n_parameters);
    for (size_t i = 0; i < history->n_epochs; i++) {
        if (i) fputc(',', out);
        print_epoch(out, &history->epochs[i]);
    }
    fputs("]}", out);
    int failed = ferror(out);
    if (fclose(out) != 0 || failed) {
        free(made);
        return eng_fail_memory(err, "the training history");
    }
    *text = made;
    return ENG_OK;
}
