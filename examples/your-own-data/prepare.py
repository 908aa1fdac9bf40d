"""Data that nobody prepared for this, out of scikit-learn's package: python prepare.py FOLDER.

photos/train and photos/test: pieces of its two photographs as PNG, a folder a class; for testing, from the last fifth of each.
tumours.csv: the Wisconsin diagnostic breast cancer data set, thirty numbers a row and what it was.
"""

import csv
import sys
from pathlib import Path

from PIL import Image
from sklearn import datasets

SIDE = 32


def photos(folder: Path) -> None:
    pictures = datasets.load_sample_images()
    for name, pixels in zip(pictures.filenames, pictures.images):
        picture = Image.fromarray(pixels)
        columns, rows = picture.width // SIDE, picture.height // SIDE
        for column in range(columns):
            part = "train" if column < 0.8 * columns else "test"
            place = folder / part / Path(name).stem
            place.mkdir(parents=True, exist_ok=True)
            for row in range(rows):
                left, upper = column * SIDE, row * SIDE
                piece = picture.crop((left, upper, left + SIDE, upper + SIDE))
                piece.save(place / f"{column:02}-{row:02}.png")


def tumours(file: Path) -> None:
    data = datasets.load_breast_cancer()
    with file.open("w", newline="") as text:
        rows = csv.writer(text)
        rows.writerow([*data.feature_names, "kind"])
        for numbers, kind in zip(data.data, data.target):
            rows.writerow([*numbers, data.target_names[kind]])


if __name__ == "__main__":
    here = Path(sys.argv[1])
    photos(here / "photos")
    tumours(here / "tumours.csv")
