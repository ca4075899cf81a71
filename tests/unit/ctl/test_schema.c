#include "ctl/schema.h"

#include <criterion/criterion.h>

static json_t *schema;

static void setup(void)
{
    schema = json_loads(
        "{\"paths\":{\"\":\"root\",\"tasks\":\"tasks\",\"tasks/NAME\":\"task\",\"tasks/NAME/"
        "target\":\"target\","
        "\"tasks/all\":\"all\",\"sources\":\"sources\",\"sources/NAME\":\"source\"},"
        "\"types\":{\"root\":{},\"all\":{},\"target\":{},"
        "\"tasks\":{\"create\":true,\"actions\":[{\"name\":\"create\",\"document\":true}]},"
        "\"sources\":{\"create\":true,\"actions\":[{\"name\":\"create\",\"document\":true}]},"
        "\"task\":{\"attributes\":[{\"name\":\"task_mode\",\"write\":true},{\"name\":\"name\"},"
        "{\"name\":\"config\",\"type\":\"document\",\"write\":true,\"read\":true}],"
        "\"actions\":[{\"name\":\"pause\"}]},"
        "\"source\":{\"attributes\":[{\"name\":\"host\"},{\"name\":\"port\"},{\"name\":\"name\"}]}}"
        "}",
        0, NULL);
}

TestSuite(schema, .init = setup);

Test(schema, finds_the_type_of_a_path)
{
    const json_t *types = json_object_get(schema, "types");

    cr_expect_eq(schema_type(schema, ""), json_object_get(types, "root"));
    cr_expect_eq(schema_type(schema, "tasks"), json_object_get(types, "tasks"));
    cr_expect_eq(schema_type(schema, "tasks/orders"), json_object_get(types, "task"));
    cr_expect_eq(schema_type(schema, "tasks/orders/target"), json_object_get(types, "target"));
    cr_expect_eq(schema_type(schema, "tasks/all"), json_object_get(types, "all"));
    cr_expect_null(schema_type(schema, "task"));
    cr_expect_null(schema_type(schema, "tasks/orders/target/x"));
}

Test(schema, finds_rows)
{
    const json_t *task = schema_type(schema, "tasks/x");

    cr_expect_str_eq(row_name(schema_attr(task, "task_mode")), "task_mode");
    cr_expect_str_eq(row_name(schema_action(task, "pause")), "pause");
    cr_expect_null(schema_attr(task, "pause"));
    cr_expect_str_eq(row_name(schema_document(task)), "config");
    cr_expect_str_eq(row_name(schema_document_action(schema_type(schema, "tasks"))), "create");
    cr_expect_null(schema_document(schema_type(schema, "sources/x")));
}

static const char *guess(const char *keys)
{
    json_t *k = json_loads(keys, 0, NULL);
    const char *path = schema_guess(schema, k);

    json_decref(k);
    return path ? path : "?";
}

Test(schema, guesses_what_a_document_describes)
{
    cr_expect_str_eq(guess("[\"name\",\"task_mode\",\"target\"]"), "tasks");
    cr_expect_str_eq(guess("[\"host\",\"port\"]"), "sources");
    cr_expect_str_eq(guess("[\"name\"]"), "?");
    cr_expect_str_eq(guess("[\"nothing\"]"), "?");
    cr_expect_str_eq(guess("[]"), "?");
}
