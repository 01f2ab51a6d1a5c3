"""What a stack declares: one noun a module, one ComponentResource each.

This file imports nothing: a program for the local target must never load the AWS packages.
"""
