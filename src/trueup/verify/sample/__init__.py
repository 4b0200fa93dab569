"""Two real data sets on two servers: what `trueup verify` looks at when no database is named."""

from trueup.verify.sample.build import Server, build_sample
from trueup.verify.sample.damage import DAMAGES, Damage, Expected, plant
from trueup.verify.sample.datasets import Dataset, datasets, datasets_folder
from trueup.verify.sample.load import load
from trueup.verify.sample.move import move

__all__ = [
    "DAMAGES",
    "Damage",
    "Dataset",
    "Expected",
    "Server",
    "build_sample",
    "datasets",
    "datasets_folder",
    "load",
    "move",
    "plant",
]
