"""A limit in time holds for whoever sets it, through Salt's own loader."""


def test_a_hurry_of_who_runs_in_no_module(salt_modules):
    """As a beacon does, which has the modules from another loader."""
    with salt_modules["bounded.hurry"](0.3, 5):
        late = salt_modules["bounded.run"](["sleep", "5"])
    assert (late["retcode"], late["late"]) == (124, True)
    assert "late" not in salt_modules["bounded.run"](["true"])
