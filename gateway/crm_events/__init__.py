"""What happens when something changed in the CRM: consumers, each with rows and errors of its own, and the job that runs
them, one at a time for each deal, else contact, else task. No call is folded and no request to the CRM is made here.
"""
