"""The study of the MLP paper's tables of accuracies on pairs of classes (`reproduce mlp-table`)."""
