/* A sweep's cells: each is one training run, measured on what it saw and on what it did not. */
#ifndef TOOLS_SWEEP_H
#define TOOLS_SWEEP_H

#include "engine/image.h"
#include "engine/train.h"
#include "json.h"
#include "sweep_grid.h"

#include <stdbool.h>

/* What one run came to: accuracies, or of a regression mean squared errors. */
struct tool_sweep_cell {
    bool tried;
    struct eng_error err; /* err.status is not OK: it failed */
    bool is_regression;
    double train;      /* of the finished model, without augmentation and dropout */
    double validation; /* NAN: no samples are held out for it */
    double test;
    size_t n_epochs;
    double seconds;
};

/* Purpose: by how much the model is better on what it saw than on validation, or else test,
 * samples. */
double tool_sweep_gap(const struct tool_sweep_cell *cell);

/* What all cells share. Borrowed. */
struct tool_sweep {
    const struct tool_sweep_grid *grid;
    struct tool_sweep_cell *cells; /* [grid->n_cells] */
    const char *recipe_path, *data_dir;
    const char *out_dir;            /* where cell i goes to out_dir/<i + 1>; NULL: nothing stays */
    const struct tool_texts *fixed; /* settings of every cell */
    int64_t seed, n_epochs;
    struct eng_pool *pool;
    int n_threads;            /* of the pool */
    struct eng_image regions; /* all cells' decision regions; no pixels: none were drawn */
    bool (*observe)(void *ctx, const struct eng_train_progress *progress);
    void *observe_ctx;
};

/*
 * Purpose: finds out before anything is trained that no cell can be: a misspelt key, a recipe that
 *          does not exist. A cell that fails beside others that do not is told in its row.
 * Errors: the first cell's, if every cell's recipe is refused.
 */
enum eng_status tool_sweep_check(const struct tool_sweep *sweep, struct eng_error *err);

/* Purpose: trains and measures one cell; what goes wrong stands in the cell. */
void tool_sweep_run(struct tool_sweep *sweep, size_t cell);

struct tool_trained;

/*
 * Purpose: draws the cell's decision regions into sweep->regions, with a caption; the last axis
 * runs to the right, the others downwards. Does nothing for models that have none. Errors:
 * NO_MEMORY, LIMIT.
 */
enum eng_status tool_sweep_draw_regions(struct tool_sweep *sweep, size_t cell,
                                        const struct tool_trained *trained, struct eng_error *err);

/* Purpose: says in the picture, if there is one, which cells failed; once all have been tried. */
void tool_sweep_caption_failures(struct tool_sweep *sweep);

/* Purpose: prints the table: its head, then a line per cell as it is done. */
void tool_sweep_print_head(const struct tool_sweep *sweep);
void tool_sweep_print_row(const struct tool_sweep *sweep, size_t cell);

/* Purpose: everything as an object. New reference; NULL when out of memory. */
json_t *tool_sweep_json(const struct tool_sweep *sweep);

#endif
