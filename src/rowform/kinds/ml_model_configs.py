"""Parameters of the models that make the schedules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import Field

from rowform.kinds.base import Confidence, Flag, Json, JsonObject, Key, Setting, Text
from rowform.kinds.facts import IN_USE, NAME, Language, Words


class Parameters(JsonObject):
    """The genetic algorithm's parameters. Keys that are not listed here are kept as they are."""

    population_size: Annotated[int | None, Words("population size", "個体数")] = None
    """Schedules per generation."""
    generations: Annotated[int | None, Words("generations", "世代数")] = None
    """How many generations to breed."""
    mutation_rate: Annotated[float | None, Words("mutation rate", "突然変異率")] = None
    """Share of genes that change at random."""
    crossover_rate: Annotated[float | None, Words("crossover rate", "交叉率")] = None
    """Share of pairs that are crossed."""
    elitism_rate: Annotated[float | None, Words("elitism rate", "エリート保存率")] = None
    """Share of the best that survive as they are."""
    convergence_threshold: Annotated[float | None, Words("convergence threshold", "収束のしきい値")] = None
    """The gain under which breeding stops."""
    max_runtime: Annotated[float | None, Words("longest run in seconds", "実行時間の上限の秒数")] = None
    """Seconds."""
    enable_adaptive_mutation: Annotated[bool | None, Words("adaptive mutation", "適応的な突然変異")] = None
    """Whether the mutation rate follows the progress."""
    parallel_processing: Annotated[bool | None, Words("parallel processing", "並列処理")] = None
    """Whether several processors are used."""
    target_accuracy: Annotated[float | None, Words("target accuracy", "目標精度")] = None
    """The score that is good enough."""


class ModelConfig(JsonObject):
    """Anything else the model wants to know; every key is free."""


class MlModelConfig(Setting):
    """One model that can make schedules, and its parameters."""

    table: ClassVar[str] = "ml_model_configs"
    key: ClassVar[str] = "model_name"
    noun: ClassVar[str] = "ML model"
    titles: ClassVar[Mapping[Language, str]] = {"en": "ML models", "ja": "機械学習モデル"}
    unique_flag: ClassVar[str | None] = "is_default"

    model_name: Annotated[Key, NAME] = Field(examples=["genetic_algorithm"])
    """What the model is called; unique per restaurant."""
    model_type: Annotated[Text, Words("algorithm", "アルゴリズム", is_name=True)] = Field(
        examples=["genetic_algorithm"]
    )
    """The algorithm."""
    parameters: Annotated[Parameters | None, Json, Words("parameters", "パラメータ")] = Field(
        default_factory=Parameters, examples=[{"populationSize": 100, "generations": 300}]
    )
    """The algorithm's parameters."""
    # `model_config` is pydantic's own name, so the column's name is an alias here.
    model_config_: Annotated[ModelConfig | None, Json, Words("further options", "その他の設定")] = Field(
        default_factory=ModelConfig, alias="model_config"
    )
    """Anything else the model wants to know."""
    confidence_threshold: Annotated[Confidence | None, Words("confidence threshold", "信頼度のしきい値")] = (
        0.75
    )
    """The confidence under which a person decides; 0 to 1."""
    is_default: Annotated[Flag | None, Words("default", "既定")] = False
    """Whether it is used when nobody chooses; at most one per restaurant."""
    is_active: Annotated[Flag | None, IN_USE] = True
    """`false` pauses it without deleting it."""
