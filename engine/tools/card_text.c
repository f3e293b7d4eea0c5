#include "card_files.h"

#include "base/error.h"
#include "progress.h"

#include <math.h>
#include <string.h>

enum { MAX_PRINTED_CLASSES = 20, MAX_LISTED_CLASSES = 100 };

void tool_markdown_text(FILE *out, const char *text)
{
    for (; *text; text++) {
        if (strchr("\\`*_{}[]<>|#&", *text)) fputc('\\', out);
        fputc((unsigned char)*text < ' ' ? ' ' : *text, out);
    }
}

/* Three digits and a unit of 1000. */
static char *format_units(double value, const char *const units[4], char *buf, size_t n)
{
    int unit = 0;
    while (value >= 999.5 && unit < 3) {
        value /= 1000;
        unit++;
    }
    int digits = unit == 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
    snprintf(buf, n, "%.*f%s", digits, value, units[unit]);
    return buf;
}

char *tool_format_bytes(double n_bytes, char *buf, size_t n)
{
    static const char *const units[4] = {" bytes", " kB", " MB", " GB"};
    return format_units(n_bytes, units, buf, n);
}

char *tool_format_count(double count, char *buf, size_t n)
{
    static const char *const units[4] = {"", " thousand", " million", " billion"};
    return format_units(count, units, buf, n);
}

static void print_title(const struct eng_train_report *report, const json_t *recipe, FILE *out)
{
    const char *description = json_string_value(json_object_get(recipe, "description"));
    fputs("# ", out);
    tool_markdown_text(out, report->name);
    fputs("\n\n", out);
    if (description) {
        tool_markdown_text(out, description);
        fputs("\n\n", out);
    }
}

static void print_training(const struct eng_train_report *report, FILE *out)
{
    char clock[32];
    fprintf(out, "| trained on | %zu samples", report->n_train);
    if (report->n_validation) fprintf(out, ", %zu more for validation", report->n_validation);
    if (report->n_epochs) fprintf(out, ", %zu epochs", report->n_epochs);
    if (report->kept_epoch && report->kept_epoch != report->n_epochs)
        fprintf(out, ", the weights are those of epoch %zu", report->kept_epoch);
    fprintf(out, " |\n| seed | %lld |\n| time | %s |\n", (long long)report->seed,
            tool_progress_clock(report->seconds, clock, sizeof clock));
}

static void print_summary(const struct eng_train_report *report, const struct tool_model_file *file,
                          FILE *out)
{
    char text[32];
    fputs("| | |\n|---|---|\n", out);
    if (isfinite(report->test_accuracy))
        fprintf(out, "| test accuracy | **%.2f %%** of %zu samples |\n",
                100 * report->test_accuracy, report->n_test);
    if (isfinite(report->test_loss)) fprintf(out, "| test loss | %.4g |\n", report->test_loss);
    if (report->n_parameters) fprintf(out, "| parameters | %zu |\n", report->n_parameters);
    fprintf(out, "| multiply-adds | %s a sample |\n",
            tool_format_count(file->flops / 2, text, sizeof text));
    fprintf(out, "| file | %s, SHA-256 `%.16s...` |\n",
            tool_format_bytes((double)file->n_bytes, text, sizeof text), file->digest);
    print_training(report, out);
}

static void print_classes(const struct eng_train_report *report, FILE *out)
{
    fputs("\n## Classes\n\n| class | test samples | correct | accuracy |\n|---|---|---|---|\n",
          out);
    for (size_t c = 0; c < report->n_classes && c < MAX_LISTED_CLASSES; c++) {
        size_t n = report->n_samples[c], n_correct = report->n_correct[c];
        fputs("| ", out);
        tool_markdown_text(out, report->labels[c]);
        fprintf(out, " | %zu | %zu | ", n, n_correct);
        if (n) fprintf(out, "%.2f %%", 100 * (double)n_correct / (double)n);
        fputs(" |\n", out);
    }
    if (report->n_classes > MAX_LISTED_CLASSES)
        fprintf(out, "\nThe other %zu are in card.json.\n", report->n_classes - MAX_LISTED_CLASSES);
}

static void print_confusion(const struct eng_train_report *report, FILE *out)
{
    size_t n = report->n_classes;
    fputs("\n## Confusion matrix\n\nA row for each class, a column for each answer.\n\n| |", out);
    for (size_t c = 0; c < n; c++) {
        fputc(' ', out);
        tool_markdown_text(out, report->labels[c]);
        fputs(" |", out);
    }
    fputs("\n|---|", out);
    for (size_t c = 0; c < n; c++)
        fputs("--:|", out);
    for (size_t r = 0; r < n; r++) {
        fputs("\n| ", out);
        tool_markdown_text(out, report->labels[r]);
        fputs(" |", out);
        for (size_t c = 0; c < n; c++)
            fprintf(out, r == c ? " **%zu** |" : " %zu |", report->confusion[r * n + c]);
    }
    fputc('\n', out);
}

static void print_mistakes(const struct eng_train_report *report, FILE *out)
{
    fputs("\n## The hardest mistakes\n\n", out);
    if (report->mistakes[0].pixels)
        fputs("From left to right, then the second row:\n\n![](mistakes.png)\n\n", out);
    fputs(
        "| | test sample | is | taken for | with probability | loss |\n|---|---|---|---|---|---|\n",
        out);
    for (size_t i = 0; i < report->n_mistakes; i++) {
        const struct eng_train_mistake *m = &report->mistakes[i];
        fprintf(out, "| %zu | %zu | ", i + 1, m->sample);
        tool_markdown_text(out, report->labels[m->label]);
        fputs(" | ", out);
        tool_markdown_text(out, report->labels[m->predicted]);
        fprintf(out, " | %.2f %% | %.2f |\n", 100 * m->probability, m->loss);
    }
}

static enum eng_status print_recipe(const json_t *recipe, FILE *out, struct eng_error *err)
{
    fputs("\n## Recipe\n\n    classify train recipe.json --data DIR --out DIR\n\nwith this as "
          "recipe.json makes the model again.\n\n```json\n",
          out);
    enum eng_status status = tool_json_write(recipe, out, err);
    fputs("\n```\n", out);
    return status;
}

enum eng_status tool_card_text(const struct eng_train_report *report,
                               const struct tool_model_file *file, FILE *out, struct eng_error *err)
{
    json_t *recipe = json_loads(report->recipe, 0, NULL);
    if (!recipe) return eng_fail_memory(err, "README.md");
    print_title(report, recipe, out);
    print_summary(report, file, out);
    if (report->n_epochs) fputs("\n![loss and accuracy over the epochs](curves.svg)\n", out);
    if (file->has_regions) fputs("\n![decision regions and training points](regions.png)\n", out);
    if (report->n_classes > 0) print_classes(report, out);
    if (report->confusion && report->n_classes <= MAX_PRINTED_CLASSES) print_confusion(report, out);
    if (report->n_mistakes) print_mistakes(report, out);
    enum eng_status status = print_recipe(recipe, out, err);
    json_decref(recipe);
    return status;
}
