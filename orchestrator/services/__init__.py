"""What stands behind `actions.services`: HTTP by httpx, a model over HTTP, secrets from the environment.

Opened after the fork, on the loop that uses them; closed with it.
"""
