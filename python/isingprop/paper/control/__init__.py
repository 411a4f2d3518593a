"""A study of what sampling adds to training by class states, and to backpropagation."""
