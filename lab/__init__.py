"""The learner's commands: `python -m lab verify`, `status`, `watch` and `tour`, for a stack on either target."""
