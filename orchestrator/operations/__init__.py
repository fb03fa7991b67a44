"""What can be done with actions and conversations, above the loop: each operation is one file and thin.

Reading order: `options` (what a caller of `act` may ask for), `calls` (what it hands in, as calls), `rows` (the runs
that they become, in their order), `outcome` (what it gets back) and `act`, which walks from one to the other. `chain`
runs chains and plans, and `chain_results` tells what became of them; `workflow` walks through one, node by node.
"""
