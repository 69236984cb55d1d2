"""{{ cookiecutter.__class }}, a plugin of functory."""

{% if cookiecutter.kind == 'commands' -%}
from {{ cookiecutter.__package }}.component import COMMAND

__all__ = ["COMMAND"]
{%- else -%}
from {{ cookiecutter.__package }}.component import {{ cookiecutter.__class }}

__all__ = ["{{ cookiecutter.__class }}"]
{%- endif %}
