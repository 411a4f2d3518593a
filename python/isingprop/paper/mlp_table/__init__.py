"""The table of accuracies on pairs of classes."""
