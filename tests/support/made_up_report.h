/* A training report with made-up figures: four classes of 2 x 2 pictures, two mistakes. */
#ifndef TESTS_MADE_UP_REPORT_H
#define TESTS_MADE_UP_REPORT_H

#include "engine/train.h"

#include <math.h>

enum { MADE_UP_EPOCHS = 12, MADE_UP_CLASSES = 3 };

struct made_up_report {
    struct eng_train_report report;
    struct eng_train_epoch epochs[MADE_UP_EPOCHS];
};

/* Borrows the struct. validation: whether it was measured. */
static inline const struct eng_train_report *made_up_report(struct made_up_report *r,
                                                            bool validation)
{
    static const char *const labels[MADE_UP_CLASSES] = {"cat", "a|b <i>", "ship"};
    static const size_t confusion[9] = {8, 1, 1, 0, 10, 0, 0, 2, 8}, samples[3] = {10, 10, 10};
    static const size_t correct[3] = {8, 10, 8};
    static const uint8_t pixels[2][4] = {{0, 80, 160, 255}, {255, 255, 0, 0}};
    *r = (struct made_up_report){
        .report = {.name = "made & up",
                   .seed = 7,
                   .n_train = 600,
                   .n_test = 30,
                   .n_parameters = 1234,
                   .recipe = "{\"name\":\"made & up\",\"description\":\"a test\",\"epochs\":12}",
                   .seconds = 83.4,
                   .n_epochs = MADE_UP_EPOCHS,
                   .kept_epoch = MADE_UP_EPOCHS,
                   .test_loss = 0.4321,
                   .test_accuracy = 26.0 / 30,
                   .n_classes = MADE_UP_CLASSES,
                   .labels = labels,
                   .confusion = confusion,
                   .n_samples = samples,
                   .n_correct = correct,
                   .width_px = 2,
                   .height_px = 2,
                   .n_channels = 1,
                   .n_mistakes = 2}};
    for (int i = 0; i < MADE_UP_EPOCHS; i++)
        r->epochs[i] = (struct eng_train_epoch){
            .learning_rate = 0.1,
            .loss = 2.2 * exp(-0.4 * i) + 0.02,
            .accuracy = 1 - 0.7 * exp(-0.5 * i),
            .validation_loss = validation ? 2 * exp(-0.35 * i) + 0.2 + 0.01 * i : NAN,
            .validation_accuracy = validation ? 0.93 - 0.6 * exp(-0.5 * i) : NAN,
            .test_loss = i % 2 ? 2 * exp(-0.3 * i) + 0.25 : NAN,
            .test_accuracy = i % 2 ? 0.92 - 0.62 * exp(-0.5 * i) : NAN,
            .seconds = 6.5};
    r->report.epochs = r->epochs;
    r->report.mistakes[0] = (struct eng_train_mistake){.sample = 17,
                                                       .label = 0,
                                                       .predicted = 1,
                                                       .probability = 0.98,
                                                       .loss = 4.2,
                                                       .pixels = pixels[0]};
    r->report.mistakes[1] = (struct eng_train_mistake){.sample = 3,
                                                       .label = 2,
                                                       .predicted = 1,
                                                       .probability = 0.7,
                                                       .loss = 1.5,
                                                       .pixels = pixels[1]};
    return &r->report;
}

#endif
