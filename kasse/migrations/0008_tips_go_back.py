"""A refund may take its tip back. What was stored before keeps to the stricter rule, and so to this one.

Backwards only while no such refund is stored: the stricter rule would refuse it.
"""

from django.db import migrations, models

RULES = {"transaction": "total_amount", "payment": "amount"}


def rule(model, amount):
    name = f"{model}_tip_not_negative"
    condition = models.Q(("tip_amount__gte", 0), (f"{amount}__lte", 0), _connector="OR")
    return [
        migrations.RemoveConstraint(model_name=model, name=name),
        migrations.AddConstraint(model_name=model, constraint=models.CheckConstraint(condition=condition, name=name)),
    ]


class Migration(migrations.Migration):
    dependencies = [("kasse", "0007_refunds_by_their_original")]

    operations = [operation for model, amount in RULES.items() for operation in rule(model, amount)]
