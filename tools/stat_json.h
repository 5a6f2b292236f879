/*
 * Pieces of the model as JSON, for the files of the JSON view alone.
 */
#pragma once

#include "json.h"
#include "model.h"
#include "path.h"

/* A member: the id of a thread, by its index. */
void gt_stat_json_thread(struct gt_json *j, const struct gt_model *model, const char *name,
			 uint32_t thread);
/* The members stack; waits, total_ns, max_ns; address, epoch, kind; ended. */
void gt_stat_json_stack(struct gt_json *j, const struct gt_model *model, uint32_t stack);
void gt_stat_json_share(struct gt_json *j, const struct gt_model_share *share);
void gt_stat_json_object(struct gt_json *j, const struct gt_span_object *object);
void gt_stat_json_ended(struct gt_json *j, const uint64_t how[GT_SPAN_HOWS]);
/* Pairs of a as a list of objects; `put` writes what b is. */
void gt_stat_json_pairs(struct gt_json *j, const struct gt_model *model, const char *name,
			const struct gt_model_pairs *set, uint32_t a,
			void (*put)(struct gt_json *, const struct gt_model *, uint32_t));
void gt_stat_json_pair_thread(struct gt_json *j, const struct gt_model *model, uint32_t thread);

/* Members of the whole. */
void gt_stat_json_objects(struct gt_json *j, struct gt_model *model);
void gt_stat_json_circles(struct gt_json *j, struct gt_model *model);
void gt_stat_json_path(struct gt_json *j, struct gt_model *model, const struct gt_path_found *p);
