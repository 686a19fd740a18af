"""Our own colours: quiet surfaces, so that green, yellow and red are what the eye finds."""

from textual.theme import Theme

DARK = Theme(
    name="mailtui-dark",
    primary="#5b9bd5",
    secondary="#7c8fa6",
    accent="#d9a95b",
    success="#4caf6e",
    warning="#e0b050",
    error="#e5534b",
    foreground="#d5dae0",
    background="#14171b",
    surface="#1a1e23",
    panel="#21262d",
    dark=True,
    variables={
        "text-error": "#f0766f",
        "text-success": "#6cc788",
        "border-blurred": "#3a424c",
        "scrollbar": "#3a424c",
        "scrollbar-hover": "#5b9bd5",
        "scrollbar-background": "#14171b",
        "scrollbar-background-hover": "#14171b",
        "scrollbar-corner-color": "#14171b",
    },
)
LIGHT = Theme(
    name="mailtui-light",
    primary="#1f6fb2",
    secondary="#5b6b7d",
    accent="#9a6500",
    success="#1f7f3f",
    warning="#8a6100",
    error="#c62828",
    foreground="#1f2429",
    background="#fbfbfa",
    surface="#f3f4f4",
    panel="#e6e9ec",
    dark=False,
    variables={
        "text-error": "#b71c1c",
        "text-success": "#1b6e37",
        "text-warning": "#7a5600",
        "text-primary": "#17598f",
        "border-blurred": "#b9c0c8",
        "scrollbar": "#b9c0c8",
        "scrollbar-hover": "#1f6fb2",
        "scrollbar-background": "#fbfbfa",
        "scrollbar-background-hover": "#fbfbfa",
        "scrollbar-corner-color": "#fbfbfa",
    },
)
