/* The data of one run: both splits, what the classes are called, how samples become inputs. */
#ifndef ENG_TRAIN_DATA_H
#define ENG_TRAIN_DATA_H

#include "train/base_model.h"
#include "train/dataset.h"
#include "train/input.h"
#include "train/recipe.h"

struct eng_data {
    struct eng_arena arena;
    struct eng_dataset train, test; /* of one picture size; labels below n_classes */
    struct eng_dataset validation;  /* taken out of train; n is 0 if the recipe asks for none */
    struct eng_base_model *base;    /* that training goes on from; NULL: none */
    struct eng_input input;
    size_t n_outputs;          /* of the network: classes, or 1 for regression */
    size_t n_classes;          /* 0: regression */
    const char *const *labels; /* [n_classes]: the recipe's, else the data set's, else numbers */
};

/*
 * Purpose: loads what the recipe asks for from dir (NULL: none), and checks that both splits fit
 * each other and the recipe. pool may be NULL. Ownership: borrows the recipe; on success end with
 * eng_data_fini. Errors: those of eng_dataset_load and eng_input_prepare; FORMAT: splits that
 * differ in the size of pictures or in classes, labels beyond the recipe's, a single class.
 */
enum eng_status eng_data_load(const char *dir, const struct eng_recipe *recipe,
                              struct eng_pool *pool, struct eng_data *out, struct eng_error *err);

/* Purpose: frees and zeroes; a zeroed struct is accepted. */
void eng_data_fini(struct eng_data *data);

#endif
