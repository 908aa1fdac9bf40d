"""KOALA inside other people's training loops. Each module imports the framework that it is named after."""
