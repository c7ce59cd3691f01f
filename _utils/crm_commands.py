"""
What Pacemaker's command line tools say and take.
"""

import os


def __virtual__():
    return True


def said(answer):
    """
    What a command says about its failure, without the XML that some show: it may hold secrets.

    answer
        What ``bounded.run`` returned.
    """
    lines = (answer["stderr"] or answer["stdout"]).splitlines()
    text = " ".join(line.strip() for line in lines if line.strip() and "<" not in line)
    return text[:500] or f"exit code {answer['retcode']}"


def on_a_file():
    """
    Whether the tools work on a CIB in a file in place of a cluster.

    Source: ``cibadmin(8)``.
    """
    return "CIB_file" in os.environ
