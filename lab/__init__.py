"""The learner's commands: `python -m lab verify`, `status` and `tour`, for a stack on either target."""
