#include "card_files.h"

#include <math.h>

static json_t *history_json(const struct eng_train_report *report)
{
    json_t *list = json_array();
    for (size_t i = 0; i < report->n_epochs; i++) {
        const struct eng_train_epoch *e = &report->epochs[i];
        json_array_append_new(
            list,
            json_pack("{s:f, s:o, s:o, s:o, s:o, s:o, s:o, s:f}", "learning_rate", e->learning_rate,
                      "loss", tool_json_number(e->loss), "accuracy", tool_json_number(e->accuracy),
                      "validation_loss", tool_json_number(e->validation_loss),
                      "validation_accuracy", tool_json_number(e->validation_accuracy), "test_loss",
                      tool_json_number(e->test_loss), "test_accuracy",
                      tool_json_number(e->test_accuracy), "seconds", e->seconds));
    }
    return list;
}

static json_t *classes_json(const struct eng_train_report *report)
{
    json_t *list = json_array();
    for (size_t c = 0; c < report->n_classes; c++) {
        double n = (double)report->n_samples[c], n_correct = (double)report->n_correct[c];
        json_array_append_new(list,
                              json_pack("{s:I, s:s, s:I, s:I, s:o}", "index", (json_int_t)c,
                                        "label", report->labels[c], "samples", (json_int_t)n,
                                        "correct", (json_int_t)n_correct, "accuracy",
                                        tool_json_number(n > 0 ? n_correct / n : (double)NAN)));
    }
    return list;
}

static json_t *confusion_json(const struct eng_train_report *report)
{
    json_t *rows = json_array();
    for (size_t r = 0; r < report->n_classes; r++) {
        json_t *row = json_array();
        for (size_t c = 0; c < report->n_classes; c++)
            json_array_append_new(
                row, json_integer((json_int_t)report->confusion[r * report->n_classes + c]));
        json_array_append_new(rows, row);
    }
    return rows;
}

static json_t *mistakes_json(const struct eng_train_report *report)
{
    json_t *list = json_array();
    for (size_t i = 0; i < report->n_mistakes; i++) {
        const struct eng_train_mistake *m = &report->mistakes[i];
        json_array_append_new(
            list, json_pack("{s:I, s:s, s:s, s:f, s:o}", "sample", (json_int_t)m->sample, "label",
                            report->labels[m->label], "predicted", report->labels[m->predicted],
                            "probability", m->probability, "loss", tool_json_number(m->loss)));
    }
    return list;
}

/* Adds what only classifiers have. */
static void add_classes(json_t *object, const struct eng_train_report *report)
{
    json_object_set_new(object, "classes", classes_json(report));
    if (report->confusion) json_object_set_new(object, "confusion", confusion_json(report));
    json_object_set_new(object, "mistakes", mistakes_json(report));
}

json_t *tool_card_json(const struct eng_train_report *report, const struct tool_model_file *file)
{
    json_t *object = json_pack(
        "{s:s, s:{s:I, s:s, s:I, s:f}, s:o, s:I, s:f, s:{s:I, s:I, s:I}, s:I, s:o, s:o, s:o}",
        "name", report->name, "file", "bytes", (json_int_t)file->n_bytes, "sha256", file->digest,
        "parameters", (json_int_t)report->n_parameters, "flops", file->flops, "recipe",
        json_loads(report->recipe, 0, NULL), "seed", (json_int_t)report->seed, "seconds",
        report->seconds, "samples", "train", (json_int_t)report->n_train, "validation",
        (json_int_t)report->n_validation, "test", (json_int_t)report->n_test, "kept_epoch",
        (json_int_t)report->kept_epoch, "history", history_json(report), "test_loss",
        tool_json_number(report->test_loss), "test_accuracy",
        tool_json_number(report->test_accuracy));
    if (object && report->n_classes > 0) add_classes(object, report);
    return object;
}
