from vertex_torchserve.errors import InputError, Problem, VertexTorchServeError


def test_one_problem_is_its_message_and_its_fix() -> None:
    error = InputError(Problem("version '' is empty", "give one"))
    assert str(error) == "version '' is empty\n  fix: give one"
    assert (error.message, error.fix, error.exit_code) == ("version '' is empty", "give one", 2)


def test_several_problems_are_numbered_and_all_there() -> None:
    error = InputError(Problem("first", "mend first"), Problem("second", "mend second"))
    assert str(error) == (
        "2 problems with the input:\n1. first\n   fix: mend first\n2. second\n   fix: mend second"
    )
    assert error.problems == (Problem("first", "mend first"), Problem("second", "mend second"))


def test_failed_work_exits_with_1() -> None:
    assert VertexTorchServeError("no").exit_code == 1
