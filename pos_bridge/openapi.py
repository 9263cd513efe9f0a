def keep_canonical_paths(endpoints, **kwargs):
    return endpoints


def describe_answers(result, generator, request, public):
    return result
