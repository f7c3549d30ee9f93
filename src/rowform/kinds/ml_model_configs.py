"""Parameters of the models that make the schedules."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from rowform.kinds.base import Confidence, Flag, Json, JsonObject, Key, Setting, Text


class Parameters(JsonObject):
    """The genetic algorithm's parameters. Keys that are not listed here are kept as they are."""

    population_size: int | None = None
    """Schedules per generation."""
    generations: int | None = None
    """How many generations to breed."""
    mutation_rate: float | None = None
    """Share of genes that change at random."""
    crossover_rate: float | None = None
    """Share of pairs that are crossed."""
    elitism_rate: float | None = None
    """Share of the best that survive as they are."""
    convergence_threshold: float | None = None
    """The gain under which breeding stops."""
    max_runtime: float | None = None
    """Seconds."""
    enable_adaptive_mutation: bool | None = None
    """Whether the mutation rate follows the progress."""
    parallel_processing: bool | None = None
    """Whether several processors are used."""
    target_accuracy: float | None = None
    """The score that is good enough."""


class ModelConfig(JsonObject):
    """Anything else the model wants to know; every key is free."""


class MlModelConfig(Setting):
    """One model that can make schedules, and its parameters."""

    table: ClassVar[str] = "ml_model_configs"
    key: ClassVar[str] = "model_name"
    noun: ClassVar[str] = "ML model"
    unique_flag: ClassVar[str | None] = "is_default"

    model_name: Key = Field(examples=["genetic_algorithm"])
    """What the model is called; unique per restaurant."""
    model_type: Text = Field(examples=["genetic_algorithm"])
    """The algorithm."""
    parameters: Annotated[Parameters | None, Json] = Field(
        default_factory=Parameters, examples=[{"populationSize": 100, "generations": 300}]
    )
    """The algorithm's parameters."""
    # `model_config` is pydantic's own name, so the column's name is an alias here.
    model_config_: Annotated[ModelConfig | None, Json] = Field(
        default_factory=ModelConfig, alias="model_config"
    )
    """Anything else the model wants to know."""
    confidence_threshold: Confidence | None = 0.75
    """The confidence under which a person decides; 0 to 1."""
    is_default: Flag | None = False
    """Whether it is used when nobody chooses; at most one per restaurant."""
    is_active: Flag | None = True
    """`false` pauses it without deleting it."""
