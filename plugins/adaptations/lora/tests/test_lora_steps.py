"""How long LoRA trains where nobody says: long enough to learn from few rows."""

from functory_lora.adaptation import LoRAOptions


def test_few_rows_are_passed_over_until_a_hundred_steps_unless_epochs_are_given() -> None:
    assert LoRAOptions().least_steps == 100
    assert LoRAOptions.model_validate({"rank": 2}).least_steps == 100
    assert LoRAOptions.model_validate({"epochs": 3}).least_steps == 0
    assert LoRAOptions.model_validate({"epochs": 3, "least_steps": 7}).least_steps == 7
    kept = LoRAOptions.model_validate({"epochs": 3}).model_dump()
    assert LoRAOptions.model_validate(kept).model_dump() == kept
