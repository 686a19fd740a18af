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
        "primary-muted": "#d6e6f5",
        "border-blurred": "#b9c0c8",
        "scrollbar": "#b9c0c8",
        "scrollbar-hover": "#1f6fb2",
        "scrollbar-background": "#fbfbfa",
        "scrollbar-background-hover": "#fbfbfa",
        "scrollbar-corner-color": "#fbfbfa",
    },
)

CONTRAST = Theme(
    name="mailtui-contrast",
    primary="#66ccff",
    secondary="#d0d0d0",
    accent="#ffe066",
    success="#6dff8f",
    warning="#ffe066",
    error="#ff9c9c",
    foreground="#ffffff",
    background="#000000",
    surface="#000000",
    panel="#101010",
    dark=True,
    variables={
        "text": "#ffffff",
        "text-muted": "#e0e0e0",
        "text-disabled": "#c0c0c0",
        "text-primary": "#8fd7ff",
        "text-secondary": "#e0e0e0",
        "text-accent": "#ffe066",
        "text-success": "#6dff8f",
        "text-warning": "#ffe066",
        "text-error": "#ffa8a8",
        "foreground-muted": "#e0e0e0",
        "foreground-disabled": "#c0c0c0",
        "primary-muted": "#00304d",
        "secondary-muted": "#303030",
        "accent-muted": "#3a3000",
        "success-muted": "#003a12",
        "warning-muted": "#3a3000",
        "error-muted": "#4a0000",
        "border": "#66ccff",
        "border-blurred": "#b8b8b8",
        "block-cursor-foreground": "#000000",
        "block-cursor-background": "#ffe066",
        "block-cursor-text-style": "none",
        "block-cursor-blurred-foreground": "#000000",
        "block-cursor-blurred-background": "#d0d0d0",
        "block-hover-background": "#303030",
        "input-cursor-background": "#ffe066",
        "input-cursor-foreground": "#000000",
        "input-selection-background": "#00406b",
        "input-selection-foreground": "#ffffff",
        "screen-selection-background": "#00406b",
        "screen-selection-foreground": "#ffffff",
        "button-foreground": "#ffffff",
        "button-color-foreground": "#000000",
        "footer-foreground": "#ffffff",
        "footer-background": "#101010",
        "footer-key-foreground": "#ffe066",
        "footer-description-foreground": "#ffffff",
        "link-color": "#8fd7ff",
        "link-color-hover": "#000000",
        "scrollbar": "#b8b8b8",
        "scrollbar-hover": "#ffffff",
        "scrollbar-active": "#ffe066",
        "scrollbar-background": "#000000",
        "scrollbar-background-hover": "#000000",
        "scrollbar-background-active": "#000000",
        "scrollbar-corner-color": "#000000",
    },
)
"""Seven to one and more for all text (WCAG 2.2, 1.4.6), and a cursor that no eye misses."""

THEMES = (DARK, LIGHT, CONTRAST)
"""Our own; the first is the usual one."""

CSS = """
.-theme-mailtui-contrast .account-list--cursor,
.-theme-mailtui-contrast .record-list--cursor {
    background: #000000 !important;
    text-style: reverse !important;
}
"""
"""What a theme's variables cannot say: shades are no contrast, so that theme turns the cursor's row round."""
